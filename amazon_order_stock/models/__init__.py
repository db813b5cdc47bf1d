from . import seller_account
from . import sale_order
from . import stock_picking
from . import order
from . import follower
from . import kinds
from . import evidence
