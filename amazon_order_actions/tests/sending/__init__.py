from . import test_bookkeeping
from . import test_call
from . import test_dispatch
from . import test_forecast
from . import test_interleavings
from . import test_loops
from . import test_pipeline
from . import test_sent_bytes
