from . import journal
from . import action
from . import control
from . import kinds
from . import life
from . import conversation
from . import upkeep
from . import evidence
