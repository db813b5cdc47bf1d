from . import test_quota
