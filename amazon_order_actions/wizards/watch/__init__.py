from . import health_settings
