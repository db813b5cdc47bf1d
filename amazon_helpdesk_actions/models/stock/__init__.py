from . import warehouse
