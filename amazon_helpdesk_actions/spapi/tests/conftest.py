"""Plain pytest suite of the strict layer; needs neither Odoo nor a network.

The package is imported as `spapi` from the addon's folder, because importing
`amazon_helpdesk_actions` would import Odoo.
"""

import sys
from pathlib import Path

ADDON = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ADDON))
sys.path.insert(0, str(Path(__file__).resolve().parent))
