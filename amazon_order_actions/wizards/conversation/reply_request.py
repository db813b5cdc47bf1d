from odoo import api, fields, models
from odoo.exceptions import LockError, UserError

from ...models.conversation.message import MESSAGE_TYPES
from ...models.conversation.reply import ACTIVITY
from ...models.conversation.reply_rules import ASK_OFFICIAL_CANCEL, SITUATIONS
from ...spapi.enums import MESSAGE_LIMITS

# Statuses in which a buyer can still ask for the cancellation in Your Orders.
CANCELLABLE = ("PENDING", "UNSHIPPED")


class AmazonReplyRequest(models.TransientModel):
    """What is written to the buyer of an order now: by mail, or through Amazon.

    The texts that it offers are those that fit what is known of the order's newest
    actions, so that none says more. The agent may change the text.
    """

    _name = "amazon.reply.request"
    _inherit = "amazon.action.request"
    _description = "Reply to a Buyer"

    _kind = "message"

    # What it was opened for, where the caller knows
    situation = fields.Selection(SITUATIONS, readonly=True)
    offered_template_ids = fields.Many2many(
        "amazon.reply.template", compute="_compute_offered_template_ids"
    )
    template_id = fields.Many2one(
        "amazon.reply.template",
        "Text For",
        compute="_compute_template_id",
        store=True,
        readonly=False,
        domain="[('id', 'in', offered_template_ids)]",
    )
    known = fields.Text(compute="_compute_known")
    subject = fields.Char(compute="_compute_text", store=True, readonly=False)
    text = fields.Text(compute="_compute_text", store=True, readonly=False)
    way = fields.Selection(
        [("mail", "By mail"), ("message", "Through Amazon's Messaging API")],
        compute="_compute_way",
        store=True,
        readonly=False,
    )
    way_hint = fields.Text(compute="_compute_way_hint")
    way_problem = fields.Text(compute="_compute_way_hint")
    message_type = fields.Selection(MESSAGE_TYPES, default="unexpectedProblem")
    # What Amazon said it allows, when it was asked for this dialog.
    allowed = fields.Json(readonly=True)
    is_sent = fields.Boolean(readonly=True)
    # Where it goes, as it was when the agent saw it; the server alone says so.
    recipient = fields.Char(readonly=True)

    # === COMPUTE METHODS === #

    def _compute_is_assisted(self):
        """Override: a reply is never done in Seller Central and recorded here."""
        self.is_assisted = False

    @api.depends("order_id", "origin_model", "origin_id", "way")
    def _compute_sentences(self):
        """Override: it is blocked where no way is open at all."""
        handler = self.env["amazon.action.kind.message"]
        for request in self:
            request.blockers = request._find_reply_problem() or ""
            # what may be in the way of a call to Amazon
            is_call = request.way == "message" and not request.blockers
            warnings = handler._warnings(request.order_id) if is_call else []
            request.warnings = "\n".join(warnings)

    @api.depends("order_id", "reply_lang")
    def _compute_offered_template_ids(self):
        for request in self:
            request.offered_template_ids = request._find_templates()

    @api.depends("offered_template_ids")
    def _compute_template_id(self):
        """Keep the situation where the language changes; the newest action first."""
        for request in self:
            offered = request.offered_template_ids._origin
            chosen = request.template_id
            same = offered.filtered(
                lambda template, chosen=chosen: (
                    template.situation == chosen.situation
                    and template.stage == chosen.stage
                )
            )
            wanted = request.situation or request._newest_actions()[:1].kind
            fitting = offered.filtered(
                lambda template, wanted=wanted: template.situation == wanted
            )
            request.template_id = (same or fitting or offered)[:1]

    @api.depends("template_id")
    def _compute_known(self):
        for request in self:
            action = request._action_of_template()
            request.known = bool(action) and f"{action.name}: {action.state_message}"

    @api.depends("template_id")
    def _compute_text(self):
        for request in self:
            request.subject, request.text = request._render()

    @api.depends("order_id", "origin_model", "origin_id")
    def _compute_way(self):
        for request in self:
            blocked = request._asked_from()._mail_blocker()
            request.way = "message" if blocked else "mail"

    @api.depends("way", "origin_model", "origin_id")
    def _compute_recipient_doubt(self):
        """Override: it is written now, by the way that is chosen."""
        for request in self:
            request.recipient_doubt = request._find_recipient_doubt()

    def _find_recipient_doubt(self):
        """Override: a message goes by the order's number, so to its buyer."""
        return self.way == "mail" and super()._find_recipient_doubt()

    @api.depends("way", "allowed", "message_type", "text")
    def _compute_way_hint(self):
        for request in self:
            by_mail = request.way == "mail"
            request.way_hint = (
                request._mail_hint() if by_mail else request._message_hint()
            )
            request.way_problem = request._find_way_problem()

    @api.onchange("way")
    def _onchange_way(self):
        """Ask Amazon, which only reads, when the agent looks that way."""
        self._ask_amazon()

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override to fix the buyer's address, and to ask Amazon at once where no mail
        can be sent."""
        requests = super().create(vals_list)
        for request in requests:
            request._fix_recipient()
            request._ask_amazon()
        return requests

    def write(self, vals):
        """Override to keep the address that was fixed."""
        return super().write({k: v for k, v in vals.items() if k != "recipient"})

    def _fix_recipient(self):
        return super().write({"recipient": self._asked_from()._recipient()})

    # === ACTION METHODS === #

    def action_send(self):
        """Write to the buyer. By mail it is handed to Odoo's mail queue; a message is
        queued for Amazon as every other action.

        :raise AccessError: when the user may not write to buyers
        :raise UserError: when it is not possible, with the sentence that says why
        """
        self.ensure_one()
        self.env["amazon.action.kind.message"]._check_right()
        document = self._asked_from()
        document.check_access("read")
        try:
            # a double click: the second one waits, and finds that it is sent
            self.lock_for_update()
        except LockError:
            raise UserError(
                self.env._("This reply is being sent at this moment.")
            ) from None
        self.invalidate_recordset(["is_sent"])
        if not self.is_sent:
            self._send(document)
        return {"type": "ir.actions.act_window_close"}

    def _send(self, document):
        if document.sudo().amazon_order_id != self.order_id:
            raise UserError(
                self.env._(
                    "%(document)s is not about the Amazon order %(order)s any more. "
                    "Close the dialog and open it again.",
                    document=document.display_name,
                    order=self.amazon_order_ref,
                )
            )
        message = self.env["amazon.action"]
        if self.way == "mail":
            document._check_recipient(self.recipient)
            is_meant = self._check_recipient_meant()
            document._send_reply_mail(self.subject, self.text, self.env.user, is_meant)
        else:
            message = self.env["amazon.action.kind.message"]._ask(
                self.order_id, self.nonce, document, self.message_type, self.text
            )
        self.is_sent = True
        if self.template_id.stage == "correction":
            self._note_correction(document)
        # what waits for a second person has not been said
        waits = message.sudo().state == "to_approve"
        if self.close_document and self.can_close and not waits:
            document.sudo()._close_after_reply()

    def _note_correction(self, document):
        """Take down what was corrected: the text is about one kind of action, so what
        the buyer was told of another still waits."""
        correcting = self.order_id.sudo().action_ids.reply_ids.filtered(
            lambda reply: reply.state == "correcting"
        )
        corrected = correcting.filtered(
            lambda reply: reply.action_id.kind == self.template_id.situation
        )
        corrected.state = "corrected"
        if corrected and corrected == correcting:
            document.sudo().activity_feedback([ACTIVITY])

    # === BUSINESS METHODS - TEXTS === #

    def _title(self):
        return self.env._("Reply to the Buyer of %s", self.amazon_order_ref)

    def _newest_actions(self):
        """Return the newest action of each kind, the newest first.

        Checked here as well: a dialog that is not saved meets no constraint.
        """
        self._check_readable()
        actions_sudo = self.order_id.sudo().action_ids.sorted("id", reverse=True)
        newest = {}
        for action in actions_sudo:
            newest.setdefault(action.kind, action)
        return actions_sudo.browse([action.id for action in newest.values()])

    def _find_templates(self):
        """Return the texts that say no more than is known, in the language."""
        templates = self.env["amazon.reply.template"]
        found = templates
        for action in self._newest_actions():
            stage = self.env["amazon.reply"]._stage_of(action)
            # Who was told nothing needs no correction.
            if stage != "correction" or action.reply_ids.state == "correcting":
                found |= templates._find(
                    action.kind, stage, self.reply_lang, action.company_id
                )
        if self._may_ask_official_cancel():
            found |= templates._find(
                ASK_OFFICIAL_CANCEL, "none", self.reply_lang, self.order_id.company_id
            )
        return found

    def _may_ask_official_cancel(self):
        """Whether the buyer may be sent to Your Orders: who wrote, and has not asked
        there. Amazon forbids to ask others for it (Communication Guidelines), and the
        seller's help says to where the buyer asked by message (G201722390)."""
        order = self.order_id
        return (
            self._asked_from()._has_buyer_written()
            and order.fulfillment_status in CANCELLABLE
            and not order.cancel_requested
            and order.channel == "fbm"
        )

    def _action_of_template(self):
        """Return the action that the text is about, or an empty recordset."""
        situation = self.template_id.situation
        return self._newest_actions().filtered(lambda action: action.kind == situation)

    def _render(self):
        # as it is saved, and asked of the user: an onchange takes any id, in sudo mode
        template = self.template_id._origin.sudo(False)
        if not template:
            return False, False
        template.check_access("read")
        action = self._action_of_template()
        if action:
            values = template._values_about(action, template.lang)
        else:
            values = template._order_values(self.order_id)
        return template._render(values)

    # === BUSINESS METHODS - WAYS === #

    def _ask_amazon(self):
        if self.way != "message" or self.allowed:
            return
        handler = self.env["amazon.action.kind.message"]
        if not handler._blockers(self.order_id):
            messaging = self.env["amazon.messaging"]
            self.allowed = messaging._read(self.order_id.sudo())
            types = self.allowed["types"]
            if types and self.message_type not in types:
                self.message_type = types[0]

    def _mail_hint(self):
        self._check_readable()
        document = self._asked_from()
        return self.env._(
            "Goes to %(address)s, from %(sender)s.",
            address=document._buyer_address() or "…",
            sender=self.order_id.sudo().account_id.approved_sender or "…",
        )

    def _message_hint(self):
        labels = dict(self._fields["message_type"]._description_selection(self.env))
        types = (self.allowed or {}).get("types", [])
        hints = [
            self.env._(
                "Amazon's API is not meant for answers to a buyer's message; it tells "
                "the buyer something about the order."
            )
        ]
        if types:
            hints.append(
                self.env._(
                    "For this order Amazon allows now: %s.",
                    ", ".join(labels[name] for name in types),
                )
            )
        locale = (self.allowed or {}).get("locale")
        if locale and not locale.startswith(self.reply_lang or ""):
            hints.append(self.env._("The buyer's language at Amazon is %s.", locale))
        limit = MESSAGE_LIMITS.get(self.message_type)
        hints.append(
            self.env._(
                "%(length)s of at most %(limit)s characters.",
                length=len(self.text or ""),
                limit=limit,
            )
        )
        return " ".join(hints)

    def _find_way_problem(self):
        """Return why the chosen way is closed, or False."""
        if self.way == "mail":
            document = self._asked_from()
            return document._stopped_mail() or document._mail_blocker()
        blockers = self.env["amazon.action.kind.message"]._blockers(self.order_id)
        if blockers:
            return "\n".join(blockers)
        allowed = self.allowed or {}
        if allowed.get("problem"):
            return allowed["problem"]
        if allowed and self.message_type not in allowed["types"]:
            return self.env._(
                "Amazon does not allow this type of message for the order now."
            )
        return False
