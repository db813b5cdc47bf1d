from . import test_linking
from . import test_mail_budget
