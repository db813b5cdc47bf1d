from odoo import api, fields, models

# What is computed for those who may decide, and for nobody else.
PICTURE = (
    "note",
    "decision_note",
    "origin",
    "obstacles",
    "warnings",
    "not_known",
    "standing_in_for",
    "other_action_ids",
    "buyer_sentence",
    "buyer_refund_ids",
)


class AmazonApprovalDecision(models.TransientModel):
    """What a second person sees of an action that waits for approval, and decides.

    The dialog only shows and collects. Every check is made again where it is decided.
    """

    _name = "amazon.approval.decision"
    _inherit = ["amazon.document.access", "amazon.action.shown"]
    _description = "Decision on an Action for Amazon"

    approval_id = fields.Many2one("amazon.approval", required=True, readonly=True)
    action_id = fields.Many2one(related="approval_id.action_id", related_sudo=False)
    refusal_reason = fields.Text(
        "If You Refuse: Why",
        help="The person who asked reads it, and the journal keeps it for ever: do not "
        "name the buyer.",
    )
    state = fields.Selection(related="approval_id.state", related_sudo=False)
    expires_at = fields.Datetime(related="approval_id.expires_at", related_sudo=False)
    channel = fields.Selection(related="order_id.channel", related_sudo=False)
    marketplace = fields.Selection(related="order_id.marketplace", related_sudo=False)
    purchased_at = fields.Datetime(related="order_id.purchased_at", related_sudo=False)
    item_ids = fields.One2many(
        string="Items of the Order", related="order_id.line_ids", related_sudo=False
    )
    # What an approver needs to know, and may not read elsewhere.
    note = fields.Text("Written by Who Asked", compute="_compute_picture")
    decision_note = fields.Text("Seen at Amazon", compute="_compute_picture")
    origin = fields.Char("Asked From", compute="_compute_picture")
    obstacles = fields.Text(compute="_compute_picture")
    warnings = fields.Text(compute="_compute_picture")
    not_known = fields.Text(compute="_compute_picture")
    without_knowing = fields.Boolean(
        "Approve Without Knowing",
        help="It is sent although Amazon's finances are not known. The journal says "
        "that you approved it knowing that.",
    )
    standing_in_for = fields.Char(compute="_compute_picture")
    other_action_ids = fields.Many2many(
        "amazon.action", "Earlier Actions", compute="_compute_picture"
    )
    buyer_sentence = fields.Text(compute="_compute_picture")
    buyer_refund_ids = fields.Many2many(
        "amazon.order.refund", "Earlier Refunds", compute="_compute_picture"
    )

    @api.model
    def _access_domain(self):
        """Override: nobody keeps what was shown of an action, once it is closed."""
        return self.env["amazon.action"]._of_readable("approval_id.action_id")

    # === COMPUTE METHODS === #

    @api.depends("approval_id")
    def _compute_picture(self):
        """Show what belongs to the decision, to those who may decide.

        Checked here as well: a dialog that is not saved meets no constraint.
        """
        self.update(dict.fromkeys(PICTURE, False))
        for decision in self.filtered("approval_id"):
            holder = decision.approval_id._check_approver()
            approval_sudo = decision.approval_id.sudo()
            action_sudo = approval_sudo.action_id
            order_sudo = action_sudo.order_id
            document = action_sudo._get_origin()
            decision.note = action_sudo.note
            # its number alone: the title of a ticket is what a buyer wrote
            decision.origin = document[document._rec_name]
            decision.decision_note = action_sudo.decision_note
            decision.obstacles = approval_sudo._blocker()
            decision.not_known = approval_sudo._not_known()
            decision.warnings = decision._find_warnings(action_sudo)
            is_own = holder == self.env.user
            decision.standing_in_for = False if is_own else holder.name
            decision.other_action_ids = order_sudo.action_ids - action_sudo
            refunds, sentence = self.env["amazon.buyer.history"]._of(order_sudo)
            decision.buyer_refund_ids = refunds
            decision.buyer_sentence = sentence

    def _find_warnings(self, action_sudo):
        """Return what the approver should read of the order, beside the amounts."""
        order_sudo, asker = action_sudo.order_id, action_sudo.user_id
        warnings = []
        group = action_sudo._kind()._group
        if not (asker.active and asker.has_group(group)):
            warnings.append(
                self.env._("%s may not ask for this any more, or has left.", asker.name)
            )
        for hold in order_sudo.account_id._holds_of(action_sudo.kind):
            warnings.append(
                self.env._(
                    "%s What you approve waits until an administrator resumes it.",
                    hold.tell(),
                )
            )
        if order_sudo.claim_found:
            warnings.append(
                self.env._(
                    "Amazon's finances show an A-to-z claim paid for this order."
                )
            )
        if order_sudo.chargeback_found:
            warnings.append(
                self.env._("Amazon's finances show a chargeback for this order.")
            )
        return "\n".join(warnings)

    # === CONSTRAINT METHODS === #

    @api.constrains("approval_id")
    def _check_decider(self):
        """Refuse what the user may not decide on: the related fields show it.

        Odoo checks constraints in sudo mode; this one is about the user.
        """
        for decision in self.sudo(False):
            decision.approval_id._check_approver()

    # === ACTION METHODS === #

    def action_approve(self):
        """Approve it; harmless when it is clicked twice."""
        self.ensure_one()
        self.approval_id.action_approve(self.without_knowing)
        return {"type": "ir.actions.act_window_close"}

    def action_refuse(self):
        """Refuse it with the reason that is filled in; harmless when clicked twice."""
        self.ensure_one()
        self.approval_id.action_refuse(self.refusal_reason)
        return {"type": "ir.actions.act_window_close"}

    # === BUSINESS METHODS === #

    @api.model
    def _open(self, approval):
        """Return the action that opens a new decision.

        :param amazon.approval approval: what is decided
        """
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Approve or refuse %s", approval.name),
            "res_model": self._name,
            "res_id": self.create({"approval_id": approval.id}).id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }
