from . import action_request
from . import unknown_decision
