"""Starts Odoo on a host of chaos; a file of the repository, since hosts that start at
the same time must never find it half written.

Odoo with worker processes calls the file that started it again for the process that
holds websockets, which nobody needs here: it only waits for its parent's end.
"""

import os
import sys
import time


def main() -> None:
    """Run Odoo's command line, or wait in the place of the process for websockets."""
    parent = os.getppid()
    while "gevent" in sys.argv:
        if os.getppid() != parent:
            sys.exit()
        time.sleep(1)
    from odoo.cli import main as odoo

    odoo()


if __name__ == "__main__":
    main()
