"""Starts Odoo on a host of chaos; a file of the repository, since hosts that start at
the same time must never find it half written.

Odoo with worker processes calls the file that started it again for the process that
holds websockets, which nobody needs here: it only waits for its parent's end.
"""

import os
import select
import sys
import time

# beside this file, which is started by its path
import odoo_surprises as surprises

FAKETIME = "FAKETIME_TIMESTAMP_FILE"


def main() -> None:
    """Run Odoo's command line, or wait in the place of the process for websockets."""
    if FAKETIME in os.environ:
        time.sleep = _sleep
    parent = os.getppid()
    while "gevent" in sys.argv:
        if os.getppid() != parent:
            sys.exit()
        time.sleep(1)
    from odoo.cli import main as odoo

    if surprises.FOLDER in os.environ:
        surprises.prepare(os.environ[surprises.FOLDER])
    odoo()


def _sleep(seconds: float) -> None:
    """Sleep as ``time.sleep`` does. That one waits until a moment of the monotonic
    clock, which libfaketime takes for one of the clock that it has moved."""
    select.select([], [], [], seconds)


if __name__ == "__main__":
    main()
