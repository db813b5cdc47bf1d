from . import audit_settings
