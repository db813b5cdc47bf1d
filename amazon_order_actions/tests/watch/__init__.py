from . import test_health
from . import test_runner
from . import test_watch
