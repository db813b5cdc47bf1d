import csv
import io

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from ...verify_journal import ROW_FIELDS

# A spreadsheet takes a cell that begins so for a formula (OWASP, CSV Injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class AmazonAuditExport(models.TransientModel):
    """The dialog that exports the journal, or what is found in its list."""

    _name = "amazon.audit.export"
    _description = "Export the Amazon Journal"

    scope = fields.Selection(
        [("all", "The whole journal"), ("part", "What the list shows or was selected")],
        required=True,
        default="all",
        help="Only the whole journal of a company shows that nothing was left out.",
    )
    file_format = fields.Selection(
        [
            ("jsonl", "JSON Lines, to be verified"),
            ("csv", "CSV, for a spreadsheet"),
        ],
        required=True,
        default="jsonl",
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company,
        domain=lambda self: [("id", "in", self.env.companies.ids)],
    )
    domain = fields.Json(readonly=True)
    entry_count = fields.Integer("Entries", compute="_compute_entry_count")

    # === COMPUTE METHODS === #

    @api.depends("scope", "company_id", "domain")
    def _compute_entry_count(self):
        for export in self:
            export.entry_count = self.env["amazon.audit.entry"].search_count(
                export._domain()
            )

    # === ACTION METHODS === #

    def action_download(self):
        """Download the file; it is made while it is sent.

        :raise UserError: when there is nothing to export
        """
        self.ensure_one()
        self.env["amazon.audit.check"]._check_right()
        self._check_one_company()
        if not self.entry_count:
            raise UserError(self.env._("There are no entries to export."))
        return {
            "type": "ir.actions.act_url",
            "url": f"/amazon_order_actions/journal/{self.id}",
            "target": "download",
            "close": True,
        }

    # === BUSINESS METHODS === #

    def _check_one_company(self):
        """Refuse the journal of a company that the user does not belong to.

        :raise AccessError: with the sentence
        """
        if self.company_id not in self.env.user.company_ids:
            raise AccessError(
                self.env._("You do not belong to the company of that journal.")
            )

    def _domain(self):
        """Return which entries are meant, as far as the user may read them."""
        if self.scope == "all":
            return Domain("company_id", "=", self.company_id.id)
        return Domain(self.domain or [])

    def _file_name(self):
        moment = fields.Datetime.now().strftime("%Y%m%d-%H%M%S")
        what = self.company_id.id if self.scope == "all" else "part"
        return f"amazon-journal-{what}-{moment}.{self.file_format}"

    def _journal_export(self):
        """Journal that it is exported, and what, in each company whose entries it has;
        the file is sent after this."""
        words = {
            "all": lambda: self.env._("The whole journal was exported (%(format)s)."),
            "part": lambda: self.env._(
                "%(count)s entries of the journal were exported (%(format)s)."
            ),
        }
        journal = self.env["amazon.audit.entry"]
        counts = journal._read_group(self._domain(), ["company_id"], ["__count"])
        journal._append(
            [
                {
                    "event": "journal",
                    "company_id": company.id,
                    "message": words[self.scope]()
                    % {"count": count, "format": self.file_format},
                }
                for company, count in counts
            ]
        )

    def _chunks(self):
        """Yield the file in pieces; little of it is ever in memory.

        :return: iterator of bytes
        """
        if self.scope == "all":
            self.env["amazon.audit.link"]._seal(self.company_id)
        # A transaction of its own: this one was there before the sealing.
        with self.env.registry.cursor() as cr:
            export = self.with_env(self.env(cr=cr))
            for line in export._lines():
                yield line.encode()

    def _lines(self):
        journal = self.env["amazon.audit.entry"]
        if self.scope == "all":
            # sudo: no rule but that of the company is there
            self._check_one_company()
            rows = journal.sudo()._all_rows(self.company_id)
            lines = journal.sudo()._all_lines(self.company_id)
        else:
            entries = journal.search(self._domain())
            rows, lines = entries._canonical_rows(), entries._export_lines()
        return lines if self.file_format == "jsonl" else csv_lines(rows)


def csv_lines(rows):
    """Yield rows as the lines of a CSV file, the names of the columns first.

    :param rows: dicts with ``ROW_FIELDS``
    """
    line = io.StringIO()
    writer = csv.writer(line)
    writer.writerow(ROW_FIELDS)
    # so that spreadsheets know the character set
    yield "\N{ZERO WIDTH NO-BREAK SPACE}" + line.getvalue()
    for row in rows:
        line.seek(0)
        line.truncate()
        writer.writerow([neutral(row.get(name)) for name in ROW_FIELDS])
        yield line.getvalue()


def neutral(value):
    """Return the value of a cell that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value
