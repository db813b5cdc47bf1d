"""The groups of users that the program itself asks for."""

ADMIN = "amazon_order_actions.group_admin"
APPROVE = "amazon_order_actions.group_approve"
JOURNAL = "amazon_order_actions.group_journal"
