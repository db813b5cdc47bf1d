"""The strict layer over Amazon's Selling Partner API; imports nothing of Odoo.

Public names live in the modules `client`, `credentials`, `errors`, `operations`,
`envelopes`, `reports`, `orders`, `finances`, `marketplaces`, `enums` and `redact`.
"""
