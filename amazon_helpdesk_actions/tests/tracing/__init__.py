from . import test_foreign_feeds
from . import test_unknown
from . import test_feed_cancel
