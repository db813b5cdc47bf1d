from . import audit_export
from . import audit_settings
from . import base_module_uninstall
