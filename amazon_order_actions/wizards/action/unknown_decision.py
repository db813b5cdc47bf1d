from odoo import api, fields, models

# What a person who decides may know of a feed.
EVIDENCE = (
    "feed_ref",
    "feed_type",
    "sending_at",
    "submitted_at",
    "processing_status",
    "payload_digest",
    "report_digest",
    "listed_at",
    "listing",
)


class AmazonUnknownDecision(models.TransientModel):
    """The evidence on an unknown outcome on one screen, and a person's decision.

    Every check is made again where it is decided.
    """

    _name = "amazon.unknown.decision"
    _inherit = "amazon.action.shown"
    _description = "Decision on an Unknown Outcome at Amazon"

    action_id = fields.Many2one(required=True)
    is_decided = fields.Boolean(readonly=True)
    note = fields.Text("What You Saw")
    state = fields.Selection(related="action_id.state", related_sudo=False)
    needs_person = fields.Boolean(related="action_id.needs_person", related_sudo=False)
    needs_approval = fields.Boolean(compute="_compute_evidence")
    finances_message = fields.Char(
        related="order_id.finances_message", related_sudo=False
    )
    # Of the feed, which agents may not read: these alone.
    feed_ref = fields.Char("Amazon Feed", compute="_compute_evidence")
    # Of a call of its own, instead.
    operation = fields.Char(compute="_compute_evidence")
    request_ref = fields.Char(related="action_id.request_ref", related_sudo=False)
    feed_type = fields.Char(compute="_compute_evidence")
    sending_at = fields.Datetime(compute="_compute_evidence")
    submitted_at = fields.Datetime(compute="_compute_evidence")
    processing_status = fields.Char("Status of the Feed", compute="_compute_evidence")
    payload_digest = fields.Char("Payload SHA-256", compute="_compute_evidence")
    report_digest = fields.Char("Report SHA-256", compute="_compute_evidence")
    listed_at = fields.Datetime("Looked For", compute="_compute_evidence")
    listing = fields.Text("Listed at Amazon", compute="_compute_evidence")

    # === COMPUTE METHODS === #

    @api.depends("action_id")
    def _compute_evidence(self):
        """Show what agents may know of the feed, where the user may decide.

        Checked here as well: a dialog that is not saved meets no constraint.
        """
        for decision in self:
            decision._check_decider()
            action_sudo = decision.action_id.sudo()
            decision.needs_approval = bool(action_sudo._why_second_person_before())
            for name in EVIDENCE:
                decision[name] = action_sudo.feed_id[name]
            decision.operation = False
            if not action_sudo.feed_id:
                # also of what is in no feed any more, since it was to be sent again
                decision.sending_at = (
                    action_sudo._sent_at() or action_sudo.first_sending_at
                )
                decision.payload_digest = action_sudo.call_id.digest
            if action_sudo and not action_sudo.feed_type:
                decision.operation = action_sudo._kind()._call_operation(action_sudo)

    # === CONSTRAINT METHODS === #

    @api.constrains("action_id")
    def _check_right(self):
        """Refuse actions that the user may not read or decide on: the related fields
        show them.

        Odoo checks constraints in sudo mode; this one is about the user.
        """
        for decision in self.sudo(False):
            decision._check_decider()

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

    def _check_decider(self):
        """Refuse users who may not read the action or not ask for its kind.

        :raise AccessError: when the user may not
        """
        if self.action_id:
            self.action_id.check_access("read")
            self.action_id._kind()._check_right()

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
