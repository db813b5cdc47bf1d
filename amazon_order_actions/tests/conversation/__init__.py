from . import test_reply_content
