from . import test_life
from . import test_restore
