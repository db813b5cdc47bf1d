from . import sale_order
from . import credit_note
