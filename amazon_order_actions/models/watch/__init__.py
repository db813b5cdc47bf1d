from . import check
from . import alarm
from . import watch
from . import jobs
from . import failure
from . import host_clock
