import json

from odoo import models
from odoo.fields import Domain
from odoo.tools import SQL, split_every

from ...verify_journal import FIELDS, VERSION

# Entries that are read at once; the rows of so many are in memory.
READ_CHUNK = 1000

_TIME = 'YYYY-MM-DD"T"HH24:MI:SS"Z"'


def _expression(name):
    """Return the SQL of a field of an entry, in the canonical form."""
    if name == "amount":
        # as it was stored: with the digits that the currency had then
        return SQL(
            "CASE WHEN entry.currency_id IS NOT NULL THEN entry.amount::text END"
        )
    if name == "occurred_at":
        return SQL("to_char(entry.occurred_at, %s)", _TIME)
    return SQL.identifier("entry", name)


# In the order of their names in the rows.
ENTRY_COLUMNS = SQL(", ").join(_expression(name) for name in FIELDS)
LINK_COLUMNS = ("number", "entry_digest", "previous_hash", "hash")


class AmazonAuditRows(models.AbstractModel):
    """How the journal is read for those who check entries or keep them elsewhere."""

    _name = "amazon.audit.rows"
    _description = "Amazon Journal Read for Others"

    # === ACTION METHODS === #

    def action_export(self):
        """Open the dialog that exports the journal.

        :raise AccessError: when the user may not read the journal
        """
        self.env["amazon.audit.check"]._check_right()
        selected = self.env.context.get("active_ids")
        shown = Domain(self.env.context.get("active_domain") or [])
        if selected:
            shown = Domain("id", "in", selected)
        is_part = not shown.is_true()
        # The file is sent by a request that knows nothing of the companies at hand.
        shown &= Domain("company_id", "in", self.env.companies.ids)
        export = self.env["amazon.audit.export"].create(
            {"domain": list(shown), "scope": "part" if is_part else "all"}
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Export the Journal"),
            "res_model": export._name,
            "res_id": export.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }

    def action_verify(self):
        """Check the journals of the companies at hand, and show what that says.

        :raise AccessError: when the user may not read the journal
        """
        checks = self.env["amazon.audit.check"]
        checks._check_right()
        for company in self.env.companies:
            check_sudo = checks._start(company)
            check_sudo._run()
            checks |= check_sudo
        if "running" in checks.mapped("state"):
            self.env.ref("amazon_order_actions.ir_cron_check").sudo()._trigger()
        return checks.with_env(self.env)._show()

    # === BUSINESS METHODS === #

    def export_data(self, fields_to_export):
        """Override to journal Odoo's own export of the list, too."""
        result = super().export_data(fields_to_export)
        for company, entries in self.grouped("company_id").items():
            self._append(
                [
                    {
                        "event": "journal",
                        "company_id": company.id,
                        "message": self.env._(
                            "%s entries of the journal were exported as a table.",
                            len(entries),
                        ),
                    }
                ]
            )
        return result

    def _canonical_rows(self):
        """Yield these entries in the canonical form, in the order of the chain; those
        that are not sealed yet at the end.

        :return: iterator of dict, see ``verify_journal.ROW_FIELDS``
        """
        for entry_ids in split_every(READ_CHUNK, self._in_chain_order()):
            yield from self._select_rows(
                SQL(
                    "amazon_audit_entry AS entry LEFT JOIN amazon_audit_link AS link"
                    " ON link.entry_id = entry.id"
                ),
                SQL("entry.id IN %s", entry_ids),
                SQL("entry.company_id, link.number, entry.id"),
            )

    def _export_lines(self):
        """Yield these entries as the lines of a file for ``verify_journal.py``: a
        header for each company, then the entries. It is marked as a part.

        :return: iterator of str, each with its end of line
        """
        yield from self._headers()
        for row in self._canonical_rows():
            yield json_line(row)

    def _chain_rows(self, company_id, after):
        """Yield the next rows of a company's chain, each with its link.

        :param int company_id: whose chain
        :param int after: number of the last one that was read
        """
        yield from self._select_rows(
            SQL(
                "amazon_audit_link AS link"
                " LEFT JOIN amazon_audit_entry AS entry ON entry.id = link.entry_id"
            ),
            SQL("link.company_id = %s AND link.number > %s", company_id, after),
            SQL("link.number"),
            READ_CHUNK,
        )

    def _count_linked(self, company_id):
        """Return how many entries of a company have a link, wherever it stands.

        :param int company_id: whose entries
        :rtype: int
        """
        self.env.cr.execute(
            """
            SELECT count(*)
              FROM amazon_audit_entry AS entry
             WHERE entry.company_id = %s
               AND EXISTS (
                       SELECT FROM amazon_audit_link AS link
                        WHERE link.entry_id = entry.id)
            """,
            [company_id],
        )
        return self.env.cr.fetchone()[0]

    def _all_lines(self, company):
        """Yield the whole journal of a company as the lines of a file: a header, the
        chain, and what is not sealed yet.

        In one transaction, so that the header counts what follows.
        """
        domain = [("company_id", "=", company.id)]
        yield json_line(self._header(company, self.search_count(domain), True))
        for row in self._all_rows(company):
            yield json_line(row)

    def _all_rows(self, company):
        """Yield the rows of the whole journal of a company, in the order of the chain;
        what is not sealed yet at the end."""
        number = 0
        while number is not None:
            last = None
            for row in self._chain_rows(company.id, number):
                last = row["number"]
                yield row
            number = last
        yield from self._unsealed_rows(company.id)

    def _unsealed_rows(self, company_id):
        yield from self._select_rows(
            SQL(
                "amazon_audit_entry AS entry"
                " LEFT JOIN amazon_audit_link AS link ON link.entry_id = entry.id"
            ),
            SQL("entry.company_id = %s AND link.id IS NULL", company_id),
            SQL("entry.id"),
        )

    def _in_chain_order(self):
        """Return the ids of these entries, ordered by company and number."""
        self.env.cr.execute(
            """
            SELECT entry.id
              FROM unnest(%s::int[]) AS wanted
              JOIN amazon_audit_entry AS entry ON entry.id = wanted
              LEFT JOIN amazon_audit_link AS link ON link.entry_id = entry.id
             ORDER BY entry.company_id, link.number, entry.id
            """,
            [self.ids],
        )
        return [entry_id for (entry_id,) in self.env.cr.fetchall()]

    def _headers(self):
        groups = self._read_group([("id", "in", self.ids)], ["company_id"], ["__count"])
        for company, count in groups:
            yield json_line(self._header(company, count))

    def _header(self, company, count, complete=False):
        """Return what an export begins with for a company.

        :param int count: entries that follow
        :param bool complete: whether these are all that there are
        """
        beginning = (
            self.env["amazon.audit.anchor"]
            .sudo()
            .search([("company_id", "=", company.id), ("number", "=", 0)], limit=1)
        )
        return {
            "journal": VERSION,
            "company_id": company.id,
            "company": company.sudo().name,
            "database": beginning.database_uuid or None,
            "complete": complete,
            "entries": count,
        }

    def _select_rows(self, tables, where, order, limit=None):
        """Yield rows of entries and their links.

        :param SQL tables: what is read, ``entry`` and ``link``
        :param SQL where: which of it
        :param SQL order: in which order
        :param int limit: rows at most
        """
        self.env.cr.execute(
            SQL(
                """
                SELECT COALESCE(entry.id, link.entry_id), entry.digest,
                       to_char(link.sealed_at, %(time)s), %(link)s,
                       entry.id, link.company_id, %(entry)s
                  FROM %(tables)s
                 WHERE %(where)s
                 ORDER BY %(order)s
                 LIMIT %(limit)s
                """,
                order=order,
                limit=limit,
                time=_TIME,
                link=SQL(", ").join(SQL.identifier("link", n) for n in LINK_COLUMNS),
                entry=ENTRY_COLUMNS,
                tables=tables,
                where=where,
            )
        )
        names = ("id", "digest", "sealed_at", *LINK_COLUMNS)
        for values in self.env.cr.fetchall():
            row = dict(zip(names, values, strict=False))
            entry_id, company_id, *content = values[len(names) :]
            if entry_id:
                row |= zip(FIELDS, content, strict=True)
            else:
                # a link whose entry is missing
                row["company_id"] = company_id
            yield row


def json_line(row):
    """Return a dict as a line of a JSON Lines file."""
    return json.dumps(row, ensure_ascii=False) + "\n"
