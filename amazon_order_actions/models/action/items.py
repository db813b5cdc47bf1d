from odoo import models


class AmazonActionItems(models.AbstractModel):
    """What becomes of an action whose items do not share one outcome.

    An error of Amazon's report may name one item of a message
    (AdditionalInfo/AmazonOrderItemCode). That item is rejected. Whether Amazon executed
    the others is documented nowhere, so they are unknown until its own data shows them.
    From then on the action is about what is left of it.

    A part of `amazon.action`, which alone inherits it.
    """

    _name = "amazon.action.items"
    _inherit = "amazon.action.unknown"
    _description = "Outcomes of the Items of Amazon Actions"

    # === BUSINESS METHODS === #

    def _apply_rejection(self, outcome):
        """Give these the outcome of a report that lists errors for them.

        :param spapi.reports.MessageOutcome outcome: rejected
        """
        if not outcome.item_errors:
            self._set_rejected(outcome.code, outcome.text)
            return
        for action in self:
            action._reject_items(outcome)

    def _reject_items(self, outcome):
        """Reject the items that the errors name; the rest is unknown.

        :param spapi.reports.MessageOutcome outcome: with item errors
        """
        items = self._kind()._message_items(self)
        named = [(error, _named_item(error, items)) for error in outcome.item_errors]
        rejected = items.browse().union(*(item for _error, item in named))
        if not all(item for _error, item in named):
            self._doubt_report(
                outcome,
                self.env._(
                    "Amazon's report rejects an item for this that was not in it "
                    "(%(text)s, code %(code)s), so the outcome is unknown. Amazon's "
                    "own data of the order is watched.",
                    text=outcome.text,
                    code=outcome.code or "-",
                ),
            )
        elif not self._left_items(items) - rejected:
            self._set_rejected(outcome.code, outcome.text)
        elif self._may_be_told_unknown():
            self._mark_rejected(named)
            self._doubt_report(
                outcome,
                self.env._(
                    "%s Whether Amazon has executed the rest is not known. Amazon's "
                    "own data of the order is watched.",
                    self._rejected_sentence() or self._named_sentence(named),
                ),
            )

    def _is_part_rejected(self):
        """Whether Amazon has rejected some of its items."""
        return self.line_ids != self.line_ids._standing()

    def _left_items(self, items):
        """Return those of the items of its message that Amazon has not rejected."""
        return items - (self.line_ids - self.line_ids._standing()).order_line_id

    def _may_be_told_unknown(self):
        return self.state == "unknown" or self._may_become("unknown")

    def _doubt_report(self, outcome, sentence):
        """It is unknown what became of these, and this is what the report said.

        :param spapi.reports.MessageOutcome outcome: what the report says
        :param str sentence: what is known, for a person
        """
        if self.state_message == sentence or not self._may_be_told_unknown():
            # the same report once more, or Amazon's data has shown it meanwhile
            return
        said = {"amazon_code": outcome.code, "amazon_text": outcome.text}
        if not self._update_state("unknown", sentence, said):
            self.write({**said, "state_message": sentence})
            self._journal("state", state_from="unknown", state_to="unknown")
            self._let_follow()
        self._enqueue_confirm()

    def _mark_rejected(self, named):
        """Have the lines of the named items count no more, neither for the order nor
        for the limits of who asked.

        :param named: pairs of `ItemError` and ``amazon.order.line``
        """
        before = self._counted_of(self.line_ids._standing())
        for error, item in named:
            lines = self.line_ids._standing().filtered(
                lambda line, item=item: line.order_line_id == item
            )
            lines.write(
                {
                    "is_rejected": True,
                    "amazon_code": error.code,
                    "amazon_text": error.text,
                }
            )
        left = self.line_ids._standing()
        if before:
            self.amount_company *= self._counted_of(left) / before
        self.amount = sum(left.mapped("amount"))

    def _counted_of(self, lines):
        """Return what lines of this action count against limits, in the currency of
        the order."""
        return self._kind()._authority_amount(
            self.order_id,
            {line.charge_id: line.amount for line in lines if line.charge_id},
            {line.order_line_id: line.quantity for line in lines if line.quantity},
        )

    # === OVERRIDES === #

    def _hand_to_person(self, reason):
        """Override: what Amazon has rejected stays said."""
        partly = self.filtered(lambda action: action._is_part_rejected())
        result = super(AmazonActionItems, self - partly)._hand_to_person(reason)
        for action in partly:
            super(AmazonActionItems, action)._hand_to_person(
                f"{action._rejected_sentence()} {reason}"
            )
        return result

    # === WHAT IS SAID === #

    def _rejected_sentence(self):
        """Say which of its items Amazon has rejected, and why; empty where none.

        :rtype: str
        """
        rejected = self.line_ids - self.line_ids._standing()
        return " ".join(
            self._rejection_of(
                self._lines_label(lines), lines[0].amazon_text, lines[0].amazon_code
            )
            for lines in rejected.grouped("order_line_id").values()
        )

    def _named_sentence(self, named):
        """Say which items of a whole order Amazon has rejected, and why."""
        return " ".join(
            self._rejection_of(item._label(), error.text, error.code)
            for error, item in named
        )

    def _rejection_of(self, what, text, code):
        return self.env._(
            "Amazon has rejected %(what)s: %(text)s (code %(code)s).",
            what=what,
            text=text or "",
            code=code or "-",
        )

    def _lines_label(self, lines):
        """Return what lines of one item are about, as a part of a sentence."""
        label = lines[0].order_line_id._label()
        if lines[0].quantity:
            return f"{lines[0].quantity} × {label}"
        amount = self._kind()._money(sum(lines.mapped("amount")), self.currency_id)
        return f"{label} ({amount})"


def _named_item(error, items):
    """Return the item that an error names, an empty recordset where it is none of
    these or may be several.

    By Amazon's number, which it has from our message; else by the SKU.

    :param spapi.reports.ItemError error: of the report
    :param amazon.order.line items: that the message named
    """
    if error.order_item_id:
        return items.filtered(lambda item: item.amazon_item_ref == error.order_item_id)
    of_sku = items.filtered(lambda item: item.sku == error.sku)
    return of_sku if len(of_sku) == 1 else items.browse()
