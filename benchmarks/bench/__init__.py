"""``make bench``: what things cost, each compared in the same run.

Every module of a benchmark says in its docstring what it measures and how, and has
``run(office)``, which prints one JSON object a line by ``measure.report``.
"""

import sys

from dev.settings import ROOT, Settings

# The strict layer is imported as `spapi`, as in its own tests: the addon's own package
# can only be imported inside of Odoo.
sys.path.append(str(Settings(root=ROOT).addon))
