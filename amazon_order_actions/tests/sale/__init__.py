from . import test_cancellation
from . import test_sale_order
