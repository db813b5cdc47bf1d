from . import refund_request_line
from . import refund_request
from . import cancel_request
from . import fulfillment_cancel_request
from . import fulfillment_request
from . import ship_request
from . import order_number_request
