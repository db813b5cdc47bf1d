from . import credentials
