from . import test_account
from . import test_connection
from . import test_quota
from . import test_secrets
from . import test_setup
