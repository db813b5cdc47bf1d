from . import action_reply_choice
from . import reply_request
