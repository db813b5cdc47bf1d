"""How many units of an item are left."""

from .states import RESERVING_STATES

# Kinds of action that take units away from those that are left to ship.
TAKING_UNITS = ("ship", "cancel_items")


def left_to_ship(line, before=None):
    """Return how many units of an item nobody has shipped, or has asked here to ship or
    to cancel.

    :param amazon.order.line line: the item
    :param amazon.action before: count only what was asked for before this action
    :rtype: int
    """
    line.ensure_one()
    # sudo: what is asked for counts, whoever looks
    asked = line.sudo().order_id.action_ids.filtered(
        lambda action: (
            action.kind in TAKING_UNITS
            and action.state in RESERVING_STATES
            and (not before or action.id < before.id)
        )
    )
    lines = asked.line_ids._standing().filtered(lambda of: of.order_line_id == line)
    return max(line.quantity_open - sum(lines.mapped("quantity")), 0)
