from odoo.addons.amazon_order_actions.hooks import leave_nothing


def uninstall_hook(env):
    """Take along what Odoo would leave behind."""
    leave_nothing(env, "amazon_helpdesk_actions")
