from datetime import timedelta
from decimal import Decimal

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import float_repr
from odoo.tools.translate import LazyTranslate

from ...spapi.enums import FEED_REFUND
from ...spapi.envelopes import PromotionAdjustment, RefundItem, RefundMessage
from ..base.clock import CLOCK_TOLERANCE_MINUTES

_lt = LazyTranslate(__name__)

# Reasons that fit what is refunded, the likeliest first; the others follow them.
_OF_THE_GOODS = (
    "CustomerReturn",
    "DifferentItem",
    "Undeliverable",
    "RefusedDelivery",
    "CouldNotShip",
    "CustomerCancel",
)
_OF_THE_PRICE = ("GeneralAdjustment", "DifferentItem", "PriceError", "Exchange")
FITTING_REASONS = {
    "full": _OF_THE_GOODS,
    "items": _OF_THE_GOODS,
    "percent": _OF_THE_PRICE,
    "amount": _OF_THE_PRICE,
    "shipping": ("GeneralAdjustment", "CarrierCreditDecision", "Undeliverable"),
    "goodwill": _OF_THE_PRICE,
    "components": _OF_THE_PRICE,
}


class AmazonActionRefund(models.AbstractModel):
    """Refund: money back to the buyer of an order that was shipped by the seller.

    Carried by the feed POST_PAYMENT_ADJUSTMENT_DATA, since the SP-API has no other
    operation for it (amzn/selling-partner-api-models, issue 4185).
    """

    _name = "amazon.action.kind.refund"
    _inherit = "amazon.action.kind.refund.amounts"
    _description = "Amazon Refund"

    _label = _lt("Refund")
    _sequence = 10
    _group = "amazon_order_actions.group_refund"
    _feed_type = FEED_REFUND
    _needs_reason = True
    _sentences = {
        "queued": _lt(
            "%(user)s asks to refund %(amount)s of the order %(order)s (%(reason)s). "
            "Nothing is sent to Amazon yet."
        ),
        "sending": _lt("The refund of %(amount)s is being sent to Amazon."),
        "submitted": _lt(
            "Amazon has received the refund of %(amount)s (feed %(feed)s) and has not "
            "processed it yet."
        ),
        "unknown": _lt(
            "It is unknown whether Amazon has the refund of %(amount)s. It is not sent "
            "again. Look at the order in Seller Central."
        ),
        "accepted": _lt(
            "Amazon has accepted the refund of %(amount)s (feed %(feed)s). Its "
            "finances do not show it yet."
        ),
        "confirmed": _lt("Amazon's finances show the refund of %(amount)s."),
        "rejected": _lt(
            "Amazon has rejected the refund of %(amount)s: %(text)s (code %(code)s). "
            "Correct it and ask again, or refund in Seller Central."
        ),
        "rejected_of_fba": _lt(
            "Amazon has rejected the refund of %(amount)s: %(text)s (code %(code)s). "
            "Amazon ships this order: refund it in Seller Central, then record here "
            "what you did."
        ),
        "withdrawn": _lt(
            "The refund of %(amount)s was withdrawn. Nothing was sent to Amazon."
        ),
        "assisted": _lt(
            "%(user)s recorded a refund of %(amount)s as done in Seller Central. "
            "Amazon's finances do not show it yet."
        ),
    }

    # === WHO AND WHEN === #

    def _refusal(self):
        return self.env._(
            "You may not refund Amazon orders. An administrator can grant it to you "
            "(Amazon orders: Refunds)."
        )

    def _is_assisted(self, order):
        """FBA orders are refunded by Amazon itself (Seller Central help
        U7K5N5GUP67M4X9); the feed is not documented for them. Where the account tries
        it all the same, the first rejection ends that for the order."""
        if order.channel != "fba":
            return False
        order_sudo = order.sudo()
        return not order_sudo.account_id.fba_refund_by_feed or any(
            action.kind == "refund" and action.state == "rejected"
            for action in order_sudo.action_ids
        )

    def _blockers(self, order):
        not_read = self._not_read_blocker(order)
        if not_read:
            return [not_read]
        blockers = [self._status_blocker(order), self._claim_blocker(order)]
        if not any(blockers) and not order.refundable and not self._is_assisted(order):
            blockers.append(self._nothing_left(order))
        return [sentence for sentence in blockers if sentence]

    def _status_blocker(self, order):
        if order.channel == "mcf":
            return self.env._(
                "Amazon only ships this order; the buyer paid elsewhere. Refund it "
                "where the buyer paid."
            )
        if order.fulfillment_status in ("SHIPPED", "PARTIALLY_SHIPPED"):
            return self._marketplace_blocker(order)
        return {
            "UNSHIPPED": self.env._(
                "This order is not shipped yet, so the buyer has not been charged. "
                "Cancel it instead."
            ),
            "PENDING": self.env._(
                "Amazon is still checking the payment of this order. Nothing was "
                "charged, and a refund is not possible."
            ),
            "CANCELLED": self.env._(
                "This order is cancelled at Amazon. There is nothing to refund."
            ),
        }.get(
            order.fulfillment_status,
            self.env._(
                "An order in this status cannot be refunded from here. Look at it in "
                "Seller Central."
            ),
        )

    def _marketplace_blocker(self, order):
        return not order.marketplace and self.env._(
            "This order is from a marketplace that is not supported. Refund it in "
            "Seller Central."
        )

    def _claim_blocker(self, order):
        # Money of a claim or a chargeback is back with the buyer already.
        if order.claim_found:
            return self.env._(
                "Amazon's finances show an A-to-z claim paid for this order. A refund "
                "would pay the buyer twice."
            )
        if order.chargeback_found:
            return self.env._(
                "Amazon's finances show a chargeback for this order. A refund would "
                "pay the buyer twice."
            )
        return False

    def _nothing_left(self, order):
        if order.reserved:
            return self.env._(
                "Nothing is left to refund: %(reserved)s of it is asked for already, "
                "and Amazon has not confirmed it yet.",
                reserved=self._money(order.reserved, order.currency_id),
            )
        return self.env._(
            "Nothing is left to refund: Amazon shows %(refunded)s of %(charged)s as "
            "refunded.",
            refunded=self._money(order.refunded, order.currency_id),
            charged=self._money(order.charged, order.currency_id),
        )

    def _warnings(self, order):
        warnings = super()._warnings(order)
        if order.refund_ids.filtered(lambda refund: not refund.charge_id):
            warnings.append(
                self.env._(
                    "Amazon shows a refund that fits none of the items. Look at the "
                    "order in Seller Central before you refund."
                )
            )
        if order.refunded:
            warnings.append(
                self.env._(
                    "Amazon shows an earlier refund of %s for this order.",
                    self._money(order.refunded, order.currency_id),
                )
            )
        if order.reserved:
            warnings.append(
                self.env._(
                    "%s is asked for already, and not confirmed by Amazon yet.",
                    self._money(order.reserved, order.currency_id),
                )
            )
        if order.account_id._is_restored_lately():
            warnings.append(
                self.env._(
                    "This database was restored from a backup. Refunds that were asked "
                    "for in the time that it lost may not show at Amazon yet. Look at "
                    "the order in Seller Central before you refund."
                )
            )
        return warnings

    def _hints(self, order, is_partial):
        """Return sentences on what a refund brings with it at Amazon.

        :param amazon.order order: the order to act on
        :param bool is_partial: whether something stays refundable after it
        :rtype: list[str]
        """
        if self._is_assisted(order):
            return []
        hints = []
        if is_partial:
            # Seller Central help GYLYQWNG8LZ9JNJP
            hints.append(
                self.env._(
                    "If the buyer returns it with a prepaid label of Amazon: after a "
                    "partial refund Amazon refunds nothing at the first scan (Refund "
                    "at First Scan)."
                )
            )
        if order.channel == "fbm":
            # Seller Central help 202109110: not where the seller refunded
            hints.append(
                self.env._(
                    "After a refund of yours Amazon grants no SAFE-T claim for this "
                    "order."
                )
            )
        else:
            hints.append(
                self.env._(
                    "Amazon ships this order, and may reject the refund. Then refund "
                    "it in Seller Central and record it here."
                )
            )
        return hints

    # === RECORDED BY HAND === #

    def _may_record_by_hand(self, order, state):
        return state == "rejected" and order.channel == "fba"

    def _open_record_by_hand(self, action):
        """Override: the refund dialog, with the same amounts."""
        if not self._may_record_by_hand(action.order_id, action.state):
            raise UserError(
                self.env._("%s is not to be refunded in Seller Central.", action.name)
            )
        return self.env["amazon.refund.request"]._open_like(action)

    # === WHAT IS SENT === #

    def _build_message(self, action):
        items = [
            self._build_item(action, lines)
            for _item, lines in action.line_ids._standing()
            .grouped("order_line_id")
            .items()
        ]
        return RefundMessage(
            message_id=action.message_number,
            amazon_order_id=action.order_id.amazon_order_ref,
            currency=action.currency_id.name,
            items=tuple(items),
        )

    def _build_item(self, action, lines):
        """One item with its amounts: the price before a promotion, and the promotion
        taken off again, so that the buyer gets the difference.

        No quantity: the amounts are totals of the item, and a quantity beside them has
        led to wrong refunds (amzn/selling-partner-api-models, issue 4405).
        """
        digits = action.currency_id.decimal_places
        return RefundItem(
            order_item_id=lines[0].order_line_id.amazon_item_ref,
            # comes back in the settlement report as merchant-adjustment-item-id
            merchant_adjustment_item_id=f"{action.name}-{lines[0].id}",
            reason=action.reason,
            components=tuple(
                (line.component, _decimal(line.amount + line.discount, digits))
                for line in lines
            ),
            quantity=None,
            promotions=tuple(
                PromotionAdjustment(
                    component=line.component,
                    amount=_decimal(-line.discount, digits),
                    promotion_id=self._promotion_ref(line.order_line_id),
                )
                for line in lines
                if line.discount
            ),
        )

    def _promotion_ref(self, item):
        """Return the promotion of an item. Amazon does not tell which of several took
        off what, so then none is named."""
        refs = item.promotion_refs or []
        return refs[0] if len(refs) == 1 else None

    # === HOW IT IS CONFIRMED === #

    def _is_confirmed(self, action):
        """Look for the action among the refunds that Amazon shows and that no other
        action accounts for, and claim them for this action."""
        if action.state == "assisted":
            # It may have been done long before it was recorded.
            claimed = self._find_by_amount(action) or self._find_by_item(action)
        else:
            claimed = self._find_since_sending(action)
        claimed.action_id = action
        return bool(claimed)

    def _find_since_sending(self, action):
        """Return the refunds, posted since it was sent first, that may be this action,
        or nothing; none where it has never left."""
        sent_at = action.first_sending_at or action.feed_id.sending_at
        if not sent_at:
            return self.env["amazon.order.refund"]
        since = sent_at - timedelta(minutes=CLOCK_TOLERANCE_MINUTES)
        found = self._find_by_amount(action, since)
        if not found and action.line_ids._standing()._is_split_by_amazon():
            found = self._find_by_item(action, since)
        return found

    def _find_unseen(self, action):
        """Return the refunds of that money which nobody had seen who asked for this
        action, or who said that Amazon does not have it; or nothing."""
        since = action.first_sending_at or action.asked_at
        since -= timedelta(minutes=CLOCK_TOLERANCE_MINUTES)
        after = action.seen_refund_id
        return self._find_by_amount(action, since, after) or self._find_by_item(
            action, since, after
        )

    def _find_by_amount(self, action, since=None, after=0):
        """Return the refunds that show each amount as it was asked for, or nothing.

        :param datetime since: posted since then
        :param int after: recorded later than the refund of this id
        """
        found = self.env["amazon.order.refund"]
        for line in action.line_ids._standing():
            refund = (line.charge_id.refund_ids - found).filtered(
                lambda refund, line=line: (
                    _is_open(refund, action, since, after)
                    and not line.currency_id.compare_amounts(refund.amount, line.amount)
                )
            )[:1]
            if not refund:
                return refund
            found |= refund
        return found

    def _find_by_item(self, action, since=None, after=0):
        """Return the refunds that show the total of each item, or nothing: how Amazon
        splits what a person did in Seller Central was not ours to say, nor is how it
        shows a promotion or a fee.

        :param datetime since: posted since then
        :param int after: recorded later than the refund of this id
        """
        found = self.env["amazon.order.refund"]
        standing = action.line_ids._standing()
        for item, lines in standing.grouped("order_line_id").items():
            unclaimed = item.charge_ids.refund_ids.filtered(
                lambda refund: _is_open(refund, action, since, after)
            )
            total = sum(lines.mapped("amount"))
            # what was posted together first, then all of it
            options = [*unclaimed.grouped("posted_at").values(), unclaimed]
            for refunds in options:
                posted = sum(refunds.mapped("amount"))
                if not action.currency_id.compare_amounts(posted, total):
                    found |= refunds
                    break
            else:
                return found.browse()
        return found

    # === WHAT IS SAID === #

    def _sentence_values(self, action):
        return {
            "amount": self._money(action.amount, action.currency_id),
            "order": action.order_id.amazon_order_ref,
            "user": action.user_id.name,
            "reason": self._reason_label("amazon.refund.request", action.reason),
            "feed": action.feed_id.feed_ref or "",
            "code": action.amazon_code or "",
            "text": action.amazon_text or "",
        }

    def _case(self, action, state):
        of_fba = state == "rejected" and action.order_id.channel == "fba"
        return "rejected_of_fba" if of_fba else state


def _is_open(refund, action, since, after):
    """Whether no other action accounts for a refund that was posted and recorded since.
    One that this action has claimed already counts: it could not be confirmed then.
    """
    return (
        not refund.action_id - action
        and refund.id > after
        and (not since or refund.posted_at >= since)
    )


def _decimal(amount, digits):
    return Decimal(float_repr(amount, digits))
