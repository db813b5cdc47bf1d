from . import stop_request
from . import authority_check
