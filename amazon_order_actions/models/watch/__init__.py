from . import check
from . import alarm
from . import watch
from . import jobs
from . import runner
from . import look_soon
from . import failure
from . import host_clock
