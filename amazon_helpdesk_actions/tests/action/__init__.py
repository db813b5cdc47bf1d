from . import test_click_cost
from . import test_deletion
