# the parts of the order first, then the order itself
from . import asked
from . import documents
from . import reading
from . import mail_reading
from . import fulfillment_order
from . import order
from . import range_reading
from . import line
from . import charge
from . import refund
from . import finders
from . import health
