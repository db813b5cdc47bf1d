from . import edit_request
