from . import test_message
from . import test_recipient
from . import test_reply
from . import test_reply_content
from . import test_reply_templates
