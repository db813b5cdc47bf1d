from . import authority_usage
from . import careful
from . import authority
from . import authority_rights
from . import stop
from . import gate
from . import breaker
from . import health
