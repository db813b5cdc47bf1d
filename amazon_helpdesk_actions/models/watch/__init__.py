from . import alarm
from . import failure
