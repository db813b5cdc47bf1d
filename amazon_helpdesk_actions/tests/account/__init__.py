from . import test_account
from . import test_quota
from . import test_secrets
