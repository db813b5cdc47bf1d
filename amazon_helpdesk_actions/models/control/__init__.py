from . import authority
from . import authority_usage
from . import authority_rights
from . import stop
from . import counted
from . import approval
from . import delegation
from . import breaker
