from . import action
from . import call
from . import dispatch
from . import feed
from . import forecast
from . import finders
from . import follower
