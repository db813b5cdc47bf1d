from odoo import api, fields, models


class AmazonUnknownDecision(models.TransientModel):
    """The evidence on an unknown outcome on one screen, and a person's decision.

    Every check is made again where it is decided.
    """

    _name = "amazon.unknown.decision"
    _description = "Decision on an Unknown Outcome at Amazon"

    action_id = fields.Many2one("amazon.action", required=True, readonly=True)
    is_decided = fields.Boolean(readonly=True)
    note = fields.Text("What You Saw")
    name = fields.Char(related="action_id.name", related_sudo=False)
    kind = fields.Selection(related="action_id.kind", related_sudo=False)
    state = fields.Selection(related="action_id.state", related_sudo=False)
    needs_person = fields.Boolean(related="action_id.needs_person", related_sudo=False)
    state_message = fields.Char(related="action_id.state_message", related_sudo=False)
    user_id = fields.Many2one(related="action_id.user_id", related_sudo=False)
    asked_at = fields.Datetime(related="action_id.asked_at", related_sudo=False)
    currency_id = fields.Many2one(related="action_id.currency_id", related_sudo=False)
    amount = fields.Monetary(related="action_id.amount", related_sudo=False)
    line_ids = fields.One2many(related="action_id.line_ids", related_sudo=False)
    order_id = fields.Many2one(related="action_id.order_id", related_sudo=False)
    fulfillment_status = fields.Selection(
        related="order_id.fulfillment_status", related_sudo=False
    )
    refund_ids = fields.One2many(related="order_id.refund_ids", related_sudo=False)
    read_at = fields.Datetime(related="order_id.read_at", related_sudo=False)
    finances_message = fields.Char(
        related="order_id.finances_message", related_sudo=False
    )
    seller_central_url = fields.Char(
        related="order_id.seller_central_url", related_sudo=False
    )
    # Of the feed, which agents may not read: these alone.
    feed_ref = fields.Char(related="action_id.feed_id.feed_ref")
    feed_type = fields.Char(related="action_id.feed_id.feed_type")
    sending_at = fields.Datetime(related="action_id.feed_id.sending_at")
    submitted_at = fields.Datetime(related="action_id.feed_id.submitted_at")
    processing_status = fields.Char(
        "Status of the Feed", related="action_id.feed_id.processing_status"
    )
    payload_digest = fields.Char(related="action_id.feed_id.payload_digest")
    report_digest = fields.Char(related="action_id.feed_id.report_digest")
    listed_at = fields.Datetime(related="action_id.feed_id.listed_at")
    listing = fields.Text(related="action_id.feed_id.listing")

    # === CONSTRAINT METHODS === #

    @api.constrains("action_id")
    def _check_right(self):
        """Refuse actions that the user may not read or decide on: the related fields
        show them.

        Odoo checks constraints in sudo mode; this one is about the user.
        """
        for decision in self.sudo(False):
            decision.action_id.check_access("read")
            decision.action_id._kind()._check_right()

    # === ACTION METHODS === #

    def action_executed(self):
        """Record that Amazon has executed it. Sends nothing."""
        return self._decide("_decide_executed")

    def action_send_again(self):
        """Let it be sent again, since Amazon does not have it."""
        return self._decide("_decide_absent")

    def action_refresh(self):
        """Have the order read from Amazon again, in the background."""
        self.ensure_one()
        self.order_id.action_refresh()
        return self._reopen()

    # === BUSINESS METHODS === #

    @api.model
    def _open(self, action):
        """Return the action that opens a new decision.

        :param amazon.action action: what is decided on
        """
        return self.create({"action_id": action.id})._reopen()

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Outcome of %s", self.name),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }

    def _decide(self, method):
        """Decide once, however often it is clicked."""
        self.ensure_one()
        if not self.is_decided:
            getattr(self.action_id, method)(self.note)
            self.is_decided = True
        return {"type": "ir.actions.act_window_close"}
