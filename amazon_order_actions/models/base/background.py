import psycopg2
from tenacity import (
    retry,
    retry_if_exception_type,
    stop_after_delay,
    wait_random_exponential,
)

from odoo import SUPERUSER_ID

# Records that are changed in one transaction where many are: a chunk that fails to
# serialize is done again, so it should be short.
CHUNK = 200


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


@retry(
    retry=retry_if_exception_type((psycopg2.OperationalError, psycopg2.InterfaceError)),
    wait=wait_random_exponential(multiplier=0.1, max=5),
    stop=stop_after_delay(120),
    reraise=True,
)
def in_own_transaction(records, method, *args):
    """Call a method of the records in a transaction of its own, and commit so that it
    survives a crash of the database, too.

    Tried again when PostgreSQL could not serialize it or was restarted.

    :param records: whose method it is
    :param str method: its name
    :return: what the method returns, which must not be a recordset
    """
    with records.env.registry.cursor() as cr:
        cr.execute("SET LOCAL synchronous_commit = on")
        return getattr(records.with_env(records.env(cr=cr)), method)(*args)
