from . import test_answer_time
from . import test_notes
