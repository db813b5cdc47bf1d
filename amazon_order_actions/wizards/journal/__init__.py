from . import audit_export
from . import base_module_uninstall
