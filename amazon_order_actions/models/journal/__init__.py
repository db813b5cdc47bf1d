from . import append_only
from . import export
from . import entry
from . import journaled_row
from . import link
from . import anchor
from . import check
from . import uninstall
