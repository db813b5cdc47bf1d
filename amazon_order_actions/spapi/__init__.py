"""The strict layer over Amazon's Selling Partner API; imports nothing of Odoo.

Public names live in the modules `client`, `credentials`, `quota`, `errors`,
`operations`, `envelopes`, `reports`, `orders`, `fulfillment`, `finances`,
`transactions`, `marketplaces`, `enums` and `redact`.
"""
