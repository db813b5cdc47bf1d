from . import life
from . import restore
