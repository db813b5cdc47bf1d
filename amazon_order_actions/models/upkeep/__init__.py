from . import future
from . import retention
