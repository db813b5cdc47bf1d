import re

from odoo import models

# What a spreadsheet takes for a formula, or for a link to a file. Odoo writes an
# apostrophe before = + and - in CSV, but not in XLSX, where xlsxwriter turns a text
# that begins with "=", "{=" or "external:" into a formula or a link
# (odoo/addons/web/controllers/export.py; xlsxwriter, Worksheet.write).
FORMULA = re.compile(r"\s*(=|\{=|@|(external|internal):)|\s+[+-]", re.IGNORECASE)


class AmazonPlainExport(models.AbstractModel):
    """An export in which every text is a text, whoever typed it: buyers write the
    subjects of mails, sellers the titles of products."""

    _name = "amazon.plain.export"
    _description = "Amazon Export Without Formulas"

    def _export_rows(self, fields, *, _is_toplevel_call=True):
        """Override to write an apostrophe before what looks like a formula."""
        rows = super()._export_rows(fields, _is_toplevel_call=_is_toplevel_call)
        return [[plain(cell) for cell in row] for row in rows]


def plain(cell):
    """Return what is written into a cell of a spreadsheet, so that it stays a text."""
    is_formula = isinstance(cell, str) and FORMULA.match(cell)
    return f"'{cell}" if is_formula else cell
