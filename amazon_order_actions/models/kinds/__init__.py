from . import refund_amounts
from . import refund
from . import cancel
from . import ship
from . import order_number
from . import cancel_items
from . import mcf_cancel
from . import mcf_update
