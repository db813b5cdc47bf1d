from . import test_finances_known
from . import test_hostile_answers
from . import test_order
from . import test_ranges
