from . import own_defaults
from . import set_aside
from . import file
from . import plain_export
from . import company_name
from . import document_access
from . import wake
from . import sequence
