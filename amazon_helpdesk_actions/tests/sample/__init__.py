from . import test_sample_tickets
