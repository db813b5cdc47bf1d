from markupsafe import Markup

from odoo import Command, fields, models

from ..action.action import BOOKKEEPERS

# From which states on a refund counts for the books. What a person did in Seller
# Central is done, as far as anybody knows before Amazon's finances show it.
BOOKED_FROM = {
    "accepted": ("accepted", "assisted", "confirmed"),
    "confirmed": ("confirmed",),
}
EVER_BOOKED = {state for states in BOOKED_FROM.values() for state in states}


class AccountMove(models.Model):
    _inherit = "account.move"

    amazon_action_id = fields.Many2one(
        "amazon.action",
        readonly=True,
        copy=False,
        index="btree_not_null",
        check_company=True,
        groups=BOOKKEEPERS,
        help="The refund at Amazon that this credit note is about.",
    )

    def _level_amazon_total(self, amount):
        """Add what rounding of taxes has left, so that the total is exactly what the
        buyer got.

        :param float amount: in the currency of the credit note
        """
        self.ensure_one()
        difference = self.currency_id.round(amount - self.amount_total)
        if not self.currency_id.is_zero(difference):
            self.invoice_line_ids = [
                Command.create(
                    {
                        "name": self.env._("Rounding"),
                        "quantity": 1,
                        "price_unit": difference,
                        "tax_ids": [Command.clear()],
                    }
                )
            ]


class AmazonActionFollowerCreditNote(models.AbstractModel):
    """What a refund brings about in Odoo's books: a draft, where the account wants."""

    _name = "amazon.action.follower.credit_note"
    _inherit = "amazon.action.follower"
    _description = "Credit Notes of Amazon Refunds"

    _place = 70

    def _follow(self, actions):
        for action in actions:
            if self._needs_credit_note(action):
                self._draft_credit_note(action)

    def _failed(self):
        return self.env._(
            "No draft credit note could be made for this refund. Make it by hand, and "
            "tell an administrator."
        )

    def _needs_credit_note(self, action):
        if action.kind != "refund" or action.state not in EVER_BOOKED:
            # nothing is looked up with the click
            return False
        booked = BOOKED_FROM.get(action.account_id.credit_note_on, ())
        return (
            action.state in booked
            and not action.sudo().credit_note_ids
            # only once, also where none could be made
            and (action.state == booked[0] or not action.accepted_at)
        )

    def _draft_credit_note(self, action):
        """Make a draft credit note of exactly the refunded amounts; never posts it."""
        sale_order = self._sale_order_to_credit(action)
        if not sale_order:
            action._post(
                lambda action: self.env._(
                    "%s: there is no sale order of this Amazon order, so no draft "
                    "credit note was made.",
                    action.name,
                )
            )
            return
        # By the program, whoever's click or job it was: a draft for the accountants.
        move_sudo = (
            self.env["account.move"]
            .sudo()
            .with_company(action.company_id)
            .create(self._prepare_credit_note(action, sale_order))
        )
        move_sudo._level_amazon_total(action.amount)
        self._post_credit_note(action, move_sudo)

    def _sale_order_to_credit(self, action):
        """Return the sale order whose buyer was refunded: where it was asked from, else
        the newest one of the same Amazon order."""
        origin = action._get_origin()
        if origin._name == "sale.order" and origin:
            return origin.sudo()
        return self.env["sale.order"]._of_amazon_orders(action.order_id)[:1]

    def _prepare_credit_note(self, action, sale_order):
        """Return the values of the credit note.

        :param sale.order sale_order: in sudo mode
        """
        posted = sale_order.invoice_ids.filtered(
            lambda move: move.move_type == "out_invoice" and move.state == "posted"
        )
        return {
            "move_type": "out_refund",
            "amazon_action_id": action.id,
            "company_id": action.company_id.id,
            "partner_id": sale_order.partner_invoice_id.id,
            "fiscal_position_id": sale_order.fiscal_position_id.id,
            "currency_id": action.currency_id.id,
            "invoice_origin": sale_order.name,
            "ref": f"{action.name}, {action.order_id.amazon_order_ref}",
            # Where it is not clear which invoice it is about, a person chooses.
            "reversed_entry_id": posted.id if len(posted) == 1 else False,
            "invoice_line_ids": [
                Command.create(self._prepare_credit_line(action, line, sale_order))
                for line in action.line_ids._standing().filtered("charge_id")
            ],
        }

    def _prepare_credit_line(self, action, line, sale_order):
        """Return the values of one line: the amount of one component of one item.

        The buyer gets the amount with its tax, so the price before tax is computed from
        it; a component that is itself a tax is booked as it is.
        """
        sale_line = self._sale_line_of(line.order_line_id, sale_order)
        taxes = sale_line.tax_ids
        if "Tax" in line.component or self._has_tax_apart(action, line):
            taxes = taxes.browse()
        included = taxes.with_context(force_price_include=True).compute_all(
            line.amount, action.currency_id, partner=sale_order.partner_invoice_id
        )
        is_included = all(tax.price_include for tax in taxes)
        price = line.amount if is_included else included["total_excluded"]
        return {
            "product_id": sale_line.product_id.id,
            "name": self.env._(
                "Refund of %(component)s: %(item)s",
                component=line.component,
                item=line.order_line_id.title or line.order_line_id.sku,
            ),
            "quantity": 1,
            "price_unit": price,
            "tax_ids": [Command.set(taxes.ids)],
        }

    def _sale_line_of(self, order_line, sale_order):
        """Return the line of the sale order that sold the item, by its SKU."""
        return sale_order.order_line.filtered(
            lambda line: line.product_id.default_code == order_line.sku
        )[:1]

    def _has_tax_apart(self, action, line):
        """Whether Amazon refunds the tax of this component apart from it."""
        item = line.order_line_id
        components = action.line_ids.filtered(
            lambda other: other.order_line_id == item
        ).mapped("component")
        tax = "Tax" if line.component == "Principal" else f"{line.component}Tax"
        return tax in components

    def _post_credit_note(self, action, move_sudo):
        link = Markup("<a href=# data-oe-model='account.move' data-oe-id='%s'>%s</a>")
        action._post(
            lambda action: (
                Markup("%s: %s")
                % (
                    action.name,
                    self.env._(
                        "a draft credit note of %(amount)s was made: %(link)s. It is "
                        "not posted.",
                        amount=action._kind()._money(action.amount, action.currency_id),
                        link=link % (move_sudo.id, self.env._("open it")),
                    ),
                )
            )
        )
