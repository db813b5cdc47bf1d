from datetime import datetime, timedelta

from odoo import api, fields, models

from ...verify_journal import TIME, entry_digest, genesis, link_hash
from ..base.background import in_background, in_own_transaction

# Class of the advisory locks under which a company's chain grows, beside its id.
SEAL_LOCK = 0x414D5A53  # "AMZS"

# Entries that are sealed in one transaction.
SEAL_CHUNK = 1000

# An entry is committed at most so long after it was written; it has a lower id than
# what was sealed meanwhile. The daily check looks for all, however old.
LONGEST_TRANSACTION = timedelta(days=1)


class AmazonAuditLink(models.Model):
    """The chain: one row for each sealed entry, with the hash of all before it.

    Entries are written by many transactions at once, and none may wait for another. So
    they are linked afterwards: the sealer takes what is committed, one sealer at a time
    per company, in short transactions of its own. The order of the chain is the order
    of sealing; an entry with a lower id may come later.
    """

    _name = "amazon.audit.link"
    _inherit = "amazon.audit.append_only"
    _description = "Amazon Journal Link"
    _order = "company_id, number desc"
    _rec_name = "number"
    _log_access = False

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="restrict"
    )
    number = fields.Integer(required=True, readonly=True, aggregator=None)
    entry_id = fields.Many2one(
        "amazon.audit.entry",
        required=True,
        readonly=True,
        ondelete="restrict",
        index=True,
    )
    entry_digest = fields.Char("Entry SHA-256", required=True, readonly=True)
    previous_hash = fields.Char(required=True, readonly=True)
    hash = fields.Char(required=True, readonly=True)
    sealed_at = fields.Datetime(required=True, readonly=True)

    _number_uniq = models.Constraint(
        "unique(company_id, number)", "A number stands once in each chain."
    )
    # Who checks reads from number 1 on: what stood below would be hidden from it.
    _number_positive = models.Constraint(
        "CHECK (number > 0)", "The numbers of a chain begin at 1."
    )
    _entry_uniq = models.Constraint(
        "unique(entry_id)", "An entry stands once in the chain."
    )

    # === BUSINESS METHODS === #

    @api.model
    def _cron_seal(self):
        """Seal what was committed since the last time. Scheduled action."""
        for company in self.env["res.company"].search([]):
            self.env["amazon.failure"]._run_apart(
                "seal", in_background(self, company), "_seal", company
            )

    @api.model
    def _seal(self, company, of_all_time=False):
        """Seal the committed entries of a company, in transactions of their own.

        What the caller has not committed yet is not among them. The caller's own
        transaction may not see the new links.

        :param res.company company: whose journal
        :param bool of_all_time: whether to look for entries however old
        """
        after = 0
        since = False
        while after is not None:
            with self.env.registry.cursor() as cr:
                # The lock first, in a transaction of its own: a transaction that was
                # there before it would not see what the sealer before has sealed.
                cr.execute(
                    "SELECT pg_advisory_xact_lock(%s, %s)", [SEAL_LOCK, company.id]
                )
                since, after = in_own_transaction(
                    self.sudo(), "_seal_chunk", company.id, of_all_time, since, after
                )

    def _seal_chunk(self, company_id, of_all_time, since, after):
        """Seal the next entries; the caller holds the lock.

        :param datetime since: entries that were written before are not looked for;
            False to find out
        :param int after: ids up to this were looked at already
        :return: since, and the last id that was sealed; None where none is left
        """
        head = self._head(company_id)
        since = since or self._look_since(head, of_all_time)
        entries = self._unsealed(company_id, since, after)
        if not entries:
            return since, None
        previous = head.hash or self._begin(company_id)
        links = []
        now = fields.Datetime.now()
        for number, (entry_id, content) in enumerate(entries, start=head.number + 1):
            link = {
                "company_id": company_id,
                "number": number,
                "entry_id": entry_id,
                "entry_digest": content,
                "previous_hash": previous,
            }
            previous = link_hash({**link, "sealed_at": now.strftime(TIME)})
            links.append({**link, "hash": previous, "sealed_at": now})
        self._insert(links)
        return since, entries[-1][0] if len(entries) == SEAL_CHUNK else None

    def _head(self, company_id):
        """Return the last link of a company's chain."""
        return self.search(
            [("company_id", "=", company_id)], order="number desc", limit=1
        )

    def _look_since(self, head, of_all_time):
        if of_all_time or not head:
            return datetime.min
        return head.sealed_at - LONGEST_TRANSACTION

    def _unsealed(self, company_id, since, after):
        """Return the next entries without a link, as (id, digest)."""
        self.env.cr.execute(
            """
            SELECT entry.id, entry.digest
              FROM amazon_audit_entry AS entry
             WHERE entry.company_id = %s
               AND entry.occurred_at >= %s
               AND entry.id > %s
               AND NOT EXISTS (
                       SELECT FROM amazon_audit_link AS link
                        WHERE link.entry_id = entry.id)
             ORDER BY entry.id
             LIMIT %s
            """,
            [company_id, since, after, SEAL_CHUNK],
        )
        found = self.env.cr.fetchall()
        # Entries that are older than the digests have none of their own.
        old = [entry_id for entry_id, content in found if not content]
        rows = self.env["amazon.audit.entry"].browse(old)._canonical_rows()
        digests = {row["id"]: entry_digest(row) for row in rows}
        return [(number, content or digests[number]) for number, content in found]

    def _begin(self, company_id):
        """Return the beginning of a chain, and keep it as its first anchor: a copy of
        the database has another UUID."""
        database = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        beginning = genesis(company_id, database)
        self.env["amazon.audit.anchor"]._insert(
            [
                {
                    "company_id": company_id,
                    "number": 0,
                    "hash": beginning,
                    "database_uuid": database,
                    "anchored_at": fields.Datetime.now(),
                }
            ]
        )
        return beginning
