from . import test_audit_entry
from . import test_journal_chain
from . import test_journal_export
from . import test_verify_journal
