from . import approval
from . import delegation
