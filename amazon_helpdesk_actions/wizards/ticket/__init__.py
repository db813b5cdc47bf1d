from . import action_request
from . import authority_check
