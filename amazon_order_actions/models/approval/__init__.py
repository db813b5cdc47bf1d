from . import approval
from . import delegation
from . import follower
