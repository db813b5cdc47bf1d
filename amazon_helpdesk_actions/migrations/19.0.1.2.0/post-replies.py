from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Give each company the texts that were changed or written, so that it writes to
    buyers what it did, and keep earlier replies from customers who follow."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    _hide_replies(cr)
    accounts = env["amazon.seller.account"].with_context(active_test=False).search([])
    changed = _changed(cr)
    for company in accounts.company_id:
        _copy(env, changed, company)
    _remove_written(env)
    cr.execute("DROP TABLE amazon_reply_template_before")


def _changed(cr):
    """Return the ids of the rows before that are not as the addon has them."""
    cr.execute(
        """
        SELECT before.id
          FROM amazon_reply_template_before before
         WHERE NOT EXISTS (
               SELECT FROM amazon_reply_template now
                 JOIN ir_model_data shipped
                   ON shipped.model = 'amazon.reply.template'
                  AND shipped.module = 'amazon_helpdesk_actions'
                  AND shipped.res_id = now.id
                WHERE now.company_id IS NULL
                  AND (now.situation, now.stage, now.lang, now.subject, now.body)
                    = (before.situation, before.stage, before.lang,
                       before.subject, before.body))
        """
    )
    return [row_id for (row_id,) in cr.fetchall()]


def _copy(env, row_ids, company):
    # As they are: what the rules do not allow any more is refused when it is sent.
    env.cr.execute(
        """
        INSERT INTO amazon_reply_template
               (company_id, situation, stage, lang, subject, body,
                create_uid, create_date, write_uid, write_date)
        SELECT %s, situation, stage, lang, subject, body,
               %s, now() AT TIME ZONE 'UTC', %s, now() AT TIME ZONE 'UTC'
          FROM amazon_reply_template_before
         WHERE id = ANY(%s)
     RETURNING id
        """,
        [company.id, SUPERUSER_ID, SUPERUSER_ID, row_ids],
    )
    copies = env["amazon.reply.template"].browse(
        row_id for (row_id,) in env.cr.fetchall()
    )
    copies._journal_texts({}, copies._digests())


def _remove_written(env):
    """Remove what administrators wrote for all companies: each has it now."""
    shipped = env["ir.model.data"].search(
        [
            ("module", "=", "amazon_helpdesk_actions"),
            ("model", "=", "amazon.reply.template"),
        ]
    )
    templates = env["amazon.reply.template"].search([("company_id", "=", False)])
    (templates - templates.browse(shipped.mapped("res_id"))).unlink()


def _hide_replies(cr):
    cr.execute(
        """
        UPDATE mail_message SET is_internal = TRUE
         WHERE model IN ('helpdesk.ticket', 'sale.order')
           AND message_type = 'comment'
           AND outgoing_email_to LIKE '%@marketplace.amazon.%'
        """
    )
