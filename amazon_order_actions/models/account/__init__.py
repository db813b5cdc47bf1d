from . import stays_in_company
from . import seller_account
from . import participation
from . import capability
from . import quota
from . import credentials
from . import access
from . import health
