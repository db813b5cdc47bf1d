"""Set-up, demo, tests, lint and smoke of this project: ``python3 -m dev help``.

Only the standard library is imported here, because this code makes the environment
in which everything else can be imported. ``smoke_browser`` and ``odoo_lint`` are the
exceptions: they run inside that environment.
"""
