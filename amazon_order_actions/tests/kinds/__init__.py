from . import test_allocation
from . import test_refund_amounts
from . import test_refund_plan
