from . import host_clock
from . import retention
