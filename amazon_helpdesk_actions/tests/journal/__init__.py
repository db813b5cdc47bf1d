from . import test_titles
