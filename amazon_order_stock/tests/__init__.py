from . import test_approval
from . import test_cancel_warehouse
from . import test_tours_cancel
