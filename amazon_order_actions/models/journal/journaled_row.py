from odoo import api, models


class AmazonJournaledRow(models.AbstractModel):
    """Rows by which somebody is allowed something: that one was made, changed or
    removed is journaled, with what it said before and what it says after.

    A model that inherits from this one has a company and an account.
    """

    _name = "amazon.journaled.row"
    _description = "Amazon Row That Is Journaled"

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override to journal who made it."""
        rows = super().create(vals_list)
        rows._journal_rows({}, rows._texts())
        return rows

    def write(self, vals):
        """Override to journal what was changed."""
        before = self._texts()
        result = super().write(vals)
        self._journal_rows(before, self._texts())
        return result

    def unlink(self):
        """Override to journal what was taken away."""
        self.check_access("unlink")
        self._journal_rows(self._texts(), {})
        return super().unlink()

    # === BUSINESS METHODS === #

    def _texts(self):
        """Return what each row says, in words: as the journal keeps it.

        :rtype: dict
        """
        return {row: row._text() for row in self.sudo()}

    def _text(self):
        """Hook: return what the row says, in words."""
        self.ensure_one()
        return ""

    def _journal_rows(self, before, after):
        """Journal the rows that were made, changed or removed.

        :param dict before: what each row said, in words
        :param dict after: what it says now
        """
        entries = [
            {
                "event": "authority",
                "company_id": row.company_id.id,
                "account_id": row.account_id.id,
                "value_before": before.get(row, False),
                "value_after": after.get(row, False),
                "message": self._journal_sentence(row, before, after),
            }
            for row in self
            if before.get(row) != after.get(row)
        ]
        self.env["amazon.audit.entry"]._append(entries)

    def _journal_sentence(self, row, before, after):
        """Hook: return the sentence that says which row was made, changed or removed.

        :param row: one of these
        :param dict before: what each row said, without those that are new
        :param dict after: what each says now, without those that are gone
        :rtype: str
        """
        return ""
