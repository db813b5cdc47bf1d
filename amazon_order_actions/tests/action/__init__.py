from . import test_action_states
from . import test_item_outcomes
from . import test_late_doubt
from . import test_reservation
from . import test_unknown_decision
