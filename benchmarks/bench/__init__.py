"""``make bench``: what things cost, each compared in the same run.

Every module of a benchmark says in its docstring what it measures and how, and has
``run(office)``, which prints one JSON object a line by ``measure.report``.
"""

import sys

from dev.settings import STRICT_LAYER

# As the strict layer's own tests do
sys.path.append(str(STRICT_LAYER))
