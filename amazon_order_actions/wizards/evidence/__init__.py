from . import evidence_request
