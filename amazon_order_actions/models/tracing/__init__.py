from . import foreign_feed
from . import poll
from . import reconcile
from . import feed_cancel
from . import needed_jobs
from . import health
