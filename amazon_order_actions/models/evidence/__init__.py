from . import facts
from . import evidence
