from . import test_sent_bytes
