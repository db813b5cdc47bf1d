from . import amazon_action_request
from . import amazon_refund_request
from . import amazon_cancel_request
from . import amazon_fulfillment_cancel_request
from . import amazon_fulfillment_request
from . import amazon_unknown_decision
from . import amazon_action_reply_choice
from . import amazon_reply_request
