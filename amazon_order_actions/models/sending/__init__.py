from . import action
from . import call
from . import feed
from . import dispatch
from . import forecast
from . import finders
from . import follower
