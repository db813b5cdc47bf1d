import re

from odoo import models

# What a spreadsheet takes for a formula, or for a link to a file. Odoo writes an
# apostrophe before = + and - in CSV, but not in XLSX, where xlsxwriter turns a text
# that begins with "=", "{=" or "external:" into a formula or a link
# (odoo/addons/web/controllers/export.py; xlsxwriter, Worksheet.write).
FORMULA = re.compile(r"\s*(=|\{=|@|(external|internal):)|\s+[+-]", re.IGNORECASE)


class AmazonPlainExport(models.AbstractModel):
    """An export in which every text is a text, whoever typed it: buyers write the
    subjects of tickets, sellers the titles of products."""

    _name = "amazon.plain.export"
    _description = "Amazon Export Without Formulas"

    def _export_rows(self, fields, *, _is_toplevel_call=True):
        """Override to write an apostrophe before what looks like a formula."""
        rows = super()._export_rows(fields, _is_toplevel_call=_is_toplevel_call)
        return [[plain(cell) for cell in row] for row in rows]


class AmazonOrder(models.Model):
    _name = "amazon.order"
    _inherit = ["amazon.order", "amazon.plain.export"]


class AmazonOrderLine(models.Model):
    _name = "amazon.order.line"
    _inherit = ["amazon.order.line", "amazon.plain.export"]


class AmazonOrderCharge(models.Model):
    _name = "amazon.order.charge"
    _inherit = ["amazon.order.charge", "amazon.plain.export"]


class AmazonOrderRefund(models.Model):
    _name = "amazon.order.refund"
    _inherit = ["amazon.order.refund", "amazon.plain.export"]


class AmazonAction(models.Model):
    _name = "amazon.action"
    _inherit = ["amazon.action", "amazon.plain.export"]


class AmazonActionLine(models.Model):
    _name = "amazon.action.line"
    _inherit = ["amazon.action.line", "amazon.plain.export"]


class AmazonFeed(models.Model):
    _name = "amazon.feed"
    _inherit = ["amazon.feed", "amazon.plain.export"]


class AmazonAuditEntry(models.Model):
    _name = "amazon.audit.entry"
    _inherit = ["amazon.audit.entry", "amazon.plain.export"]

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


class HelpdeskTicket(models.Model):
    _name = "helpdesk.ticket"
    _inherit = ["helpdesk.ticket", "amazon.plain.export"]


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = ["sale.order", "amazon.plain.export"]


def plain(cell):
    """Return what is written into a cell of a spreadsheet, so that it stays a text."""
    is_formula = isinstance(cell, str) and FORMULA.match(cell)
    return f"'{cell}" if is_formula else cell
