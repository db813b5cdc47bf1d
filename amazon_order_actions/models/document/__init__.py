from . import order_panel
from . import order_mixin
from . import buyer
