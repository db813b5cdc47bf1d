from . import ship_request
