from odoo import SUPERUSER_ID


def in_background(records, company):
    """Return the records as a job works on them: by OdooBot, for the company and in its
    language, whoever's click enqueued the job.

    :param records: what the job is called on
    :param res.company company: the company that it works for
    """
    company_sudo = company.sudo()
    return records.with_env(
        records.env(
            user=SUPERUSER_ID,
            context={
                "allowed_company_ids": company_sudo.ids,
                "lang": company_sudo.partner_id.lang,
            },
        )
    )
