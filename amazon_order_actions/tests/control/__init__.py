from . import test_careful
