from . import file
from . import journal
