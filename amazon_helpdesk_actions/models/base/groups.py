"""The groups of users that the program itself asks for."""

ADMIN = "amazon_helpdesk_actions.group_admin"
APPROVE = "amazon_helpdesk_actions.group_approve"
JOURNAL = "amazon_helpdesk_actions.group_journal"
