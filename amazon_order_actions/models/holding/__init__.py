from . import gatekeeper
from . import held
