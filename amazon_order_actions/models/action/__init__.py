# the parts of the action first, then the action itself
from . import unknown
from . import items
from . import action
from . import seller_account
from . import line
from . import reservation
from . import doubt
from . import kind
from . import kind_gone
from . import account_kind
from . import followers
from . import asked
