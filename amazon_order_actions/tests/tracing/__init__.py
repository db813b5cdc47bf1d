from . import test_feed_cancel
from . import test_foreign_feeds
from . import test_unknown
