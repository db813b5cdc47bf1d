from . import test_tours
from . import test_tours_approval
from . import test_tours_cancel
from . import test_tours_edit
from . import test_tours_evidence
from . import test_tours_mcf
from . import test_tours_refund
from . import test_tours_reply
