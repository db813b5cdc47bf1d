"""The groups of users that the program itself asks for."""

ADMIN = "amazon_order_actions.group_admin"
APPROVE = "amazon_order_actions.group_approve"
JOURNAL = "amazon_order_actions.group_journal"

# Who may read what a person wrote down: those who act, and the auditors.
ACTORS_AND_JOURNAL = ",".join(
    f"amazon_order_actions.group_{name}"
    for name in ("refund", "cancel", "edit", "message", "approve", "journal")
)
