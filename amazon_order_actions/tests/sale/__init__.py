from . import test_cancellation
from . import test_credit_note
from . import test_sale_order
