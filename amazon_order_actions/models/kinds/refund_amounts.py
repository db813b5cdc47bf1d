from odoo import models
from odoo.exceptions import UserError

from ..order.amounts import total_refundable
from .refund_plan import FEE, GOODWILL, TAXES


class AmazonActionRefundAmounts(models.AbstractModel):
    """How much a refund may be: the rules for what is typed, asked for and sent.

    What is entered is a dict of amounts by item and component, without zeros; a
    restocking fee is below zero.
    """

    _name = "amazon.action.kind.refund.amounts"
    _inherit = "amazon.action.kind"
    _description = "Amazon Refund: Amounts"

    # === WHEN IT IS ASKED FOR === #

    def _settle(self, order, request):
        """Override: the charges of what is planned, new ones for a fee or goodwill."""
        plan = request.plan
        if plan is None:
            return request
        problems = self._typed_problems(order, plan)
        if problems:
            raise UserError("\n".join(problems))
        items = {item.id: item for item in order.line_ids}
        amounts = plan.amounts(order.currency_id.is_zero)
        return request._replace(
            amounts={
                items[item_id]._get_charge(component): amount
                for (item_id, component), amount in amounts.items()
            }
        )

    def _check_plan(self, order, plan):
        if plan and self._is_second(order, plan) and not plan.is_second_meant:
            raise UserError(
                self.env._(
                    "An item of this refund was refunded before. Tick that this second "
                    "refund is meant."
                )
            )

    def _check_possible(self, order, amounts):
        """Refuse more than is refundable.

        :param amazon.order order: the order, taken for this transaction
        :param dict amounts: amount for each charge
        :raise UserError: with the sentences that say why
        """
        blockers = self._amount_blockers(order, amounts)
        if blockers:
            raise UserError("\n".join(blockers))

    def _amount_blockers(self, order, amounts):
        if any(charge.order_id != order for charge in amounts):
            return [self.env._("An amount belongs to another order.")]
        return self._problems(
            order,
            {
                (charge.line_id, charge.component): amount
                for charge, amount in amounts.items()
            },
        )

    # === WHILE IT IS TYPED === #

    def _plan_problems(self, order, plan):
        """Return sentences that say why what is planned cannot be refunded.

        :param amazon.order order: the order to act on
        :param RefundPlan plan: as it was typed
        :rtype: list[str]
        """
        problems = self._typed_problems(order, plan)
        if problems:
            return problems
        items = {item.id: item for item in order.line_ids}
        amounts = plan.amounts(order.currency_id.is_zero)
        return self._problems(
            order,
            {
                (items[item_id], component): amount
                for (item_id, component), amount in amounts.items()
            },
        )

    def _typed_problems(self, order, plan):
        """Return sentences on what cannot be meant, whatever it comes to."""
        items = {item.id: item for item in order.line_ids}
        if not items.keys() >= {planned.item_id for planned in plan.items}:
            return [self.env._("An amount belongs to another order.")]
        problems = []
        for planned in plan.items:
            item = items[planned.item_id]
            if planned.exceeds_units(item.quantity_fulfilled):
                problems.append(
                    self.env._(
                        "%(entered)s of %(item)s cannot be refunded: %(shipped)s are "
                        "shipped.",
                        entered=planned.units,
                        item=item._label(),
                        shipped=item.quantity_fulfilled,
                    )
                )
            elif planned.exceeds_percentage():
                problems.append(
                    self.env._(
                        "The percentage for %s must be between 0 and 100.",
                        item._label(),
                    )
                )
        if plan.fee < 0:
            problems.append(self.env._("The restocking fee is below zero."))
        return problems

    def _is_second(self, order, plan):
        """Whether something of an item is refunded that was refunded before.

        By hand it is recorded after Amazon may show it, so there only what was recorded
        before counts.
        """
        # Of most orders nothing was refunded before, and nothing is worked out.
        if not (order.refunded or order.reserved):
            return False
        assisted = self._is_assisted(order)
        refunded = plan.refunded_items(order.currency_id.is_zero)
        return any(
            not item.currency_id.is_zero(
                item.reserved + (0.0 if assisted else item.refunded)
            )
            for item in order.line_ids
            if item.id in refunded
        )

    def _problems(self, order, entered):
        """Return sentences that say why these amounts cannot be refunded.

        :param amazon.order order: the order to act on
        :param dict entered: amount by item and component
        :rtype: list[str]
        """
        items = _by_item(entered)
        problems = [
            problem
            for item, parts in items.items()
            for problem in self._item_problems(order, item, parts)
        ]
        total = sum(entered.values())
        if problems:
            return problems
        if order.currency_id.compare_amounts(total, 0) <= 0:
            return [self.env._("Enter an amount above zero.")]
        if self._is_assisted(order):
            # It is done already; Amazon's finances may even show it.
            return []
        if order.currency_id.compare_amounts(total, order.refundable) > 0:
            return [
                self.env._(
                    "%(asked)s is more than can still be refunded. Left of the order: "
                    "%(left)s. Close the dialog and open it again to see what changed.",
                    asked=self._money(total, order.currency_id),
                    left=self._money(order.refundable, order.currency_id),
                )
            ]
        return []

    def _item_problems(self, order, item, parts):
        """Return what is wrong with the amounts of one item."""
        compare = order.currency_id.compare_amounts
        if any(
            compare(amount, 0) * (-1 if name == FEE else 1) < 0
            for name, amount in parts.items()
        ):
            return [self.env._("The amount for %s is below zero.", item._label())]
        net = sum(parts.values())
        if compare(net, 0) <= 0:
            return [
                self.env._(
                    "The restocking fee leaves nothing of the refund for %s.",
                    item._label(),
                )
            ]
        if all(name in TAXES for name in parts):
            return [
                self.env._(
                    "Tax alone, as for %s, is refunded by Amazon itself. Ask Amazon's "
                    "support for it, or refund a part of the price, too.",
                    item._label(),
                )
            ]
        return self._excess(order, item, parts, net)

    def _excess(self, order, item, parts, net):
        """Say of which part of an item more is entered than is left."""
        assisted = self._is_assisted(order)
        left = {charge.component: charge._limit(assisted) for charge in item.charge_ids}
        compare = order.currency_id.compare_amounts
        of_item = item.charged if assisted else item.refundable
        charged = {k: v for k, v in parts.items() if k not in (FEE, GOODWILL)}
        if (
            compare(net, of_item) > 0
            or compare(sum(charged.values()), sum(left.values())) > 0
        ):
            return [
                self.env._(
                    "For %(item)s at most %(left)s can still be refunded.",
                    item=item._label(),
                    left=self._money(of_item, order.currency_id),
                )
            ]
        return [
            self.env._(
                "For %(item)s at most %(left)s of %(component)s can still be refunded.",
                item=item._label(),
                component=name,
                left=self._money(left.get(name, 0.0), order.currency_id),
            )
            for name, amount in charged.items()
            if compare(amount, left.get(name, 0.0)) > 0
        ]

    def _left_after(self, order, entered):
        """Return how much of the order stays refundable after these amounts.

        :param amazon.order order: the order to act on
        :param dict entered: amount by item and component
        :rtype: float
        """
        items = _by_item(entered)
        of_items = 0.0
        for item in order.line_ids:
            parts = items.get(item, {})
            of_charges = sum(
                max(charge.refundable - parts.get(charge.component, 0.0), 0.0)
                for charge in item.charge_ids
                if charge.component != FEE
            )
            reserved = item.reserved + sum(parts.values())
            of_items += total_refundable(of_charges, item.paid, item.refunded, reserved)
        return total_refundable(
            of_items,
            order.paid,
            order.refunded,
            order.reserved + sum(entered.values()),
        )

    # === WHAT MUST BE KNOWN === #

    def _gap(self, order):
        """Override: Amazon's finances, in the currency of the order. What a person has
        refunded in Seller Central is done already."""
        if order.finances_state == "read" or self._is_assisted(order):
            return False
        return order.finances_message or self.env._("It was not read yet.")

    def _not_known(self, order):
        gap = self._gap(order)
        return gap and self.env._(
            "What Amazon has refunded on this order is not known: the buyer may have "
            "the money already. Look at the order in Seller Central. %s",
            gap,
        )

    def _gap_blocker(self, action):
        """Why it must not leave without a person who knows what is not known. Who
        decides on it now is told so there."""
        gap = self._gap(action.order_id)
        if not gap or action._is_gap_approved(gap) or action.state == "to_approve":
            return False
        return self.env._(
            "Nothing was sent. %s If it is still owed, ask for it again; a second "
            "person can approve it all the same.",
            self._not_known(action.order_id),
        )

    # === BEFORE IT IS SENT === #

    def _late_doubt(self, action):
        if not self._find_unseen(action):
            return self._unseen_doubt(action)
        if not action._has_left():
            return self.env._(
                "Since %(action)s was asked for, Amazon's finances show a refund of "
                "%(amount)s that nobody here accounts for. It may be the same one, so "
                "%(action)s is not sent. Look at the order in Seller Central and "
                "decide.",
                amount=self._money(action.amount, action.currency_id),
                action=action.name,
            )
        return self.env._(
            "Amazon's finances show a refund of %(amount)s by now that nobody here "
            "accounts for. It may be %(action)s itself, so it is not sent again. Look "
            "at the order in Seller Central and decide.",
            amount=self._money(action.amount, action.currency_id),
            action=action.name,
        )

    def _unseen_doubt(self, action):
        """Why what has left may have been executed where Amazon's finances do
        not let that be seen, or False: to be blocked would say that it was not."""
        if not action._has_left() or not self._gap_blocker(action):
            return False
        return self.env._(
            "%(before)s Whether Amazon has executed %(action)s cannot be seen. "
            "%(unknown)s So it is not sent again. Decide on it.",
            before=action._sent_before(),
            action=action.name,
            unknown=self._not_known(action.order_id),
        )

    def _late_blocker(self, action):
        order = action.order_id
        blocker = (
            self._status_blocker(order)
            or self._claim_blocker(order)
            or self._gap_blocker(action)
        )
        if blocker:
            return blocker
        charges = action.line_ids._standing().charge_id
        # A fee and goodwill have no charge of their own, only the item's.
        own = charges.filtered(lambda charge: charge.component not in (FEE, GOODWILL))
        if any(part._is_overdrawn() for part in (*own, *charges.line_id, order)):
            return self.env._(
                "Meanwhile Amazon shows %(refunded)s of %(paid)s as refunded, so "
                "this refund would be more than was paid. Nothing was sent.",
                refunded=self._money(order.refunded, order.currency_id),
                paid=self._money(order.paid, order.currency_id),
            )
        return False


def _by_item(entered):
    """Return the amounts by component of each item."""
    items = {}
    for (item, component), amount in entered.items():
        items.setdefault(item, {})[component] = amount
    return items
