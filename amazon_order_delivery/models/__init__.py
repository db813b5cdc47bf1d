from . import evidence
from . import order
