"""What `make chaos` and `make bench` run. Nothing of the addon imports it.

Only the standard library is imported here, as in `dev`: the servers run in the
environment that the set-up makes, and these programs only drive them.
"""
