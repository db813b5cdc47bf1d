from . import action_shown
from . import typed_numbers
from . import action_request
from . import unknown_decision
