import math

from odoo import api, models
from odoo.exceptions import UserError

#: Beyond these nothing is meant that can be refunded, sent or counted; PostgreSQL keeps
#: no bigger integer.
MAX_AMOUNT = 10**12
MAX_UNITS = 2**31 - 1


class AmazonTypedNumbers(models.AbstractModel):
    """A dialog into which a client may write anything: what is no number is refused in
    words. Odoo's client writes none of it, but Odoo's ORM takes NaN over RPC, and NaN
    is not above any limit."""

    _name = "amazon.typed.numbers"
    _description = "Amazon Dialog With Numbers"

    # === CRUD METHODS === #

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
        """Override to refuse what is no number."""
        self._check_numbers(values)
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
