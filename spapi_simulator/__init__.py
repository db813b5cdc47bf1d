"""A stand-in for Amazon's Selling Partner API over HTTP.

For demonstration, tests and measurements. Run it with `python -m spapi_simulator`;
see README.md in this folder.
"""
