from . import amazon_action_request
from . import amazon_authority_check
from . import sample_request
