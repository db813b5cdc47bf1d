from . import file
from . import health
from . import journal
from . import portal
