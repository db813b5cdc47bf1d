from odoo import models
from odoo.tools import SQL

from .fetching import remember

# What a number is made of.
PARTS = ("implementation", "padding", "prefix", "suffix", "use_date_range")


class IrSequence(models.Model):
    """Numbers that somebody waits for."""

    _inherit = "ir.sequence"

    def _next_in_one_query(self):
        """Return the next number, as ``next_by_id`` does. The usual sort of sequence is
        read and counted on in one query; the others go Odoo's own way.

        :rtype: str
        """
        self.ensure_one()
        self.flush_recordset(PARTS)
        [(number, *parts)] = self.env.execute_query(
            SQL(
                """
                SELECT CASE WHEN implementation = 'standard'
                             AND use_date_range IS NOT TRUE
                            -- a text, or it would be looked up in any case
                            THEN nextval(%s::text::regclass)
                       END, %s
                  FROM ir_sequence
                 WHERE id = %s
                """,
                f"ir_sequence_{self.id:03d}",
                SQL(", ").join(map(SQL.identifier, PARTS)),
                self.id,
            )
        )
        if not number:
            return self.next_by_id()
        remember(self, PARTS, [parts])
        return self.get_next_char(number)
