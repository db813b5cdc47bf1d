"""Entry point of the Makefile: ``python3 -m dev <command>``."""

import sys

# Nothing newer than Python 3.6 may stand above this check: an old Python must reach it.
# The bounds are those of Odoo 19 (odoo/release.py: MIN_PY_VERSION, MAX_PY_VERSION).
if not (3, 10) <= sys.version_info[:2] <= (3, 13):
    sys.exit(
        "error: Odoo 19 runs on Python 3.10 to 3.13, this is {}.{}: install one of "
        "those and name it, for example `make demo PYTHON=python3.12`.".format(
            *sys.version_info[:2]
        )
    )

from dev.commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
