from . import test_authority
from . import test_breaker
from . import test_careful
from . import test_limit_days
from . import test_stop
