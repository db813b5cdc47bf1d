from . import test_watch
from . import test_runner
from . import test_health
