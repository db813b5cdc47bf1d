from . import append_only
from . import entry
from . import link
from . import export
from . import anchor
from . import check
from . import uninstall
