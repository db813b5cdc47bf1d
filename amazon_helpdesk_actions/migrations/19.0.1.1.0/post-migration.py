from odoo import SUPERUSER_ID, api
from odoo.tools import SQL, sql

# Up to 19.0.1.0.0 these columns held the secrets as they are.
PLAIN = ("lwa_client_secret", "lwa_refresh_token", "access_token")


def migrate(cr, version):
    """Encrypt the secrets, remove what is not encrypted, keep stopped what was, and
    let nobody but the system run the scheduled actions.

    :raise UserError: when there are secrets and this server has no key; nothing is
        changed then
    """
    env = api.Environment(cr, SUPERUSER_ID, {})
    _stop_what_was_switched_off(env)
    _close_scheduled_actions(env)
    table = env["amazon.seller.account"]._table
    plain = [name for name in PLAIN if sql.column_exists(cr, table, name)]
    for name in plain:
        if name != "access_token":
            _encrypt(env, table, name)
        cr.execute(
            SQL(
                "ALTER TABLE %s DROP COLUMN %s",
                SQL.identifier(table),
                SQL.identifier(name),
            )
        )


def _encrypt(env, table, name):
    env.cr.execute(
        SQL(
            "SELECT id, %s FROM %s WHERE %s <> ''",
            SQL.identifier(name),
            SQL.identifier(table),
            SQL.identifier(name),
        )
    )
    for account_id, secret in env.cr.fetchall():
        env["amazon.seller.account"].browse(account_id)[name] = secret
    env.flush_all()


def _stop_what_was_switched_off(env):
    """Turn the former switch of each account into a stop: nothing may leave because of
    an update."""
    accounts = env["amazon.seller.account"].with_context(active_test=False)
    if not sql.column_exists(env.cr, accounts._table, "sending_enabled"):
        return
    env.cr.execute(
        SQL(
            "SELECT id FROM %s WHERE NOT sending_enabled",
            SQL.identifier(accounts._table),
        )
    )
    for (account_id,) in env.cr.fetchall():
        accounts.browse(account_id)._stop("Sending was switched off before the update.")


def _close_scheduled_actions(env):
    """Give the scheduled actions their group: an update leaves them as they are."""
    ours = env["ir.model.data"].search(
        [("module", "=", "amazon_helpdesk_actions"), ("model", "=", "ir.cron")]
    )
    crons = env["ir.cron"].browse(ours.mapped("res_id")).exists()
    crons.ir_actions_server_id.group_ids = env.ref("base.group_system")
