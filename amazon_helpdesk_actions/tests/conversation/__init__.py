from . import test_mail
from . import test_recipient
from . import test_reply
from . import test_reply_followers
from . import test_shown_to_customers
