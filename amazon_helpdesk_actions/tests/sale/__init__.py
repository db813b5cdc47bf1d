from . import test_cancellation
from . import test_credit_note
