"""What `make chaos` and `make bench` run. Nothing of the addon imports it.

`make chaos` imports only the standard library, as `dev` does: the servers run in the
environment that the set-up makes, and it only drives them. `bench` runs in that
environment itself.
"""
