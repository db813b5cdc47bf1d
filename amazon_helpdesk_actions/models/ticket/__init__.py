from . import ticket
from . import conversation
from . import action
from . import authority
from . import sale_order
