from . import test_verify_journal
