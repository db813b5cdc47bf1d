from . import call
from . import feed
from . import foreign_feed
from . import dispatch
from . import poll
from . import reconcile
from . import feed_cancel
from . import forecast
