from . import sale_order
from . import cancellation
from . import credit_note
