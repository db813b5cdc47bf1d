from . import sample_request
