from . import file
from . import journal
from . import portal
