import math

from odoo import api, models
from odoo.exceptions import UserError

#: Beyond these nothing is meant that can be refunded, sent or counted; PostgreSQL keeps
#: no bigger integer.
MAX_AMOUNT = 10**12
MAX_UNITS = 2**31 - 1


def check_named(dialog, values):
    """Refuse records that a client names and the user may not read: a dialog that is
    not saved meets no constraint, and would show their names and amounts.

    :param dialog: a dialog
    :param dict values: of its fields: what the client sent for an onchange, or defaults
    :raise AccessError: when the user may not read one of them
    """
    _check_origin_named(dialog, values)
    for name, value in values.items():
        field = dialog._fields.get(name)
        if field is None or not value:
            continue
        if field.type == "many2one" and _is_shown(dialog.env[field.comodel_name]):
            known = value.get("id") if isinstance(value, dict) else value
            # of none, it would ask for the right to the model
            if type(known) is int:
                dialog.env[field.comodel_name].browse(known).check_access("read")
        elif field.type == "one2many":
            lines = dialog.env[field.comodel_name]
            for command in value:
                if len(command) == 3 and isinstance(command[2], dict):
                    check_named(lines, command[2])


def _check_origin_named(dialog, values):
    """Refuse the document that a dialog is about, named by model and id."""
    names = {"origin_model", "origin_id"} & set(dialog._fields)
    if names & set(values):
        # what the client leaves out is what the dialog has
        model, document_id = (
            values[name] if name in values else dialog[:1][name]
            for name in ("origin_model", "origin_id")
        )
        document = dialog.env["amazon.document"]._document(model, document_id)
        if document:
            document.check_access("read")


def _is_shown(records):
    """Whether a dialog shows what is in such records: Amazon's, and documents."""
    is_document = "amazon_order_ref" in records._fields
    return is_document or (
        records._name.startswith("amazon.") and not records._transient
    )


class AmazonTypedNumbers(models.AbstractModel):
    """A dialog into which a client may write anything: what is no number is refused in
    words. Odoo's client writes none of it, but Odoo's ORM takes NaN over RPC, and NaN
    is not above any limit. Nor does it show a record that its user may not read."""

    _name = "amazon.typed.numbers"
    _description = "Amazon Dialog With Numbers"

    # === CRUD METHODS === #

    @api.model
    def default_get(self, fields):
        """Override to refuse what the user may not read: every user may set defaults
        for itself, in the context and for good."""
        values = super().default_get(fields)
        check_named(self, values)
        return values

    @api.model_create_multi
    def create(self, vals_list):
        """Override to refuse what is no number."""
        for vals in vals_list:
            self._check_numbers(vals)
        return super().create(vals_list)

    def write(self, vals):
        """Override to refuse what is no number."""
        self._check_numbers(vals)
        return super().write(vals)

    def onchange(self, values, field_names, fields_spec):
        """Override of `web` to refuse what is no number, and records that the user may
        not read."""
        self._check_numbers(values)
        check_named(self, values)
        return super().onchange(values, field_names, fields_spec)

    # === BUSINESS METHODS === #

    def _check_numbers(self, vals):
        """Refuse what is no number, or beyond all bounds.

        :param dict vals: as a client gave them
        :raise UserError: names the field
        """
        for name, value in vals.items():
            field = self._fields.get(name)
            if field is None or field.type not in ("integer", "float", "monetary"):
                continue
            limit = MAX_UNITS if field.type == "integer" else MAX_AMOUNT
            if not _is_number(value, limit, field.type == "integer"):
                raise UserError(
                    self.env._(
                        "%(field)s: this is no number that can be meant. Enter another "
                        "one.",
                        field=field._description_string(self.env),
                    )
                )


def _is_number(value, limit, is_whole):
    """Tell whether a field takes a value for a number within a limit."""
    if not value:
        # also what clears a field
        return value is None or isinstance(value, bool | int | float)
    if isinstance(value, str):
        return False
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    is_finite = math.isfinite(number) and abs(number) <= limit
    return is_finite and (number.is_integer() or not is_whole)
