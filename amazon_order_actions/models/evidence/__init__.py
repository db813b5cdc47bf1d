from . import evidence
from . import facts
