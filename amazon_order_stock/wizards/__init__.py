from . import cancel_request
