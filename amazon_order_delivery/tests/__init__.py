from . import test_evidence
from . import test_ship
