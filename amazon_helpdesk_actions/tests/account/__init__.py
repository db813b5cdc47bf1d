from . import test_account
from . import test_secrets
from . import test_setup
