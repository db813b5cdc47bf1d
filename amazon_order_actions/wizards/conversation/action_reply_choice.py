from odoo import api, fields, models
from odoo.exceptions import UserError

from ...models.conversation.reply import REPLY_STATES
from ...models.conversation.reply_rules import LANGUAGES, known_placeholders


class AmazonActionRequest(models.AbstractModel):
    """The choice, in every dialog, to have the buyer written to when Amazon is so far:
    one click to act, to reply and to close what it was asked from."""

    _inherit = "amazon.action.request"

    reply_state = fields.Selection(REPLY_STATES, "Reply to the Buyer When")
    reply_lang = fields.Selection(
        LANGUAGES,
        "Language",
        compute="_compute_reply_lang",
        store=True,
        readonly=False,
        help="Proposed by the marketplace that the buyer ordered in.",
    )
    close_document = fields.Boolean("Then Close It")
    can_close = fields.Boolean(compute="_compute_can_close")
    reply_preview = fields.Text("Text to Be Sent", compute="_compute_reply_preview")
    reply_problem = fields.Text(compute="_compute_reply_problem")
    recipient_doubt = fields.Text(compute="_compute_recipient_doubt")
    is_recipient_meant = fields.Boolean("This address is the buyer's")

    # === COMPUTE METHODS === #

    @api.depends("origin_model", "origin_id")
    def _compute_reply_lang(self):
        for request in self:
            origin = request._asked_from()
            request.reply_lang = origin._reply_language() if origin else "en"

    @api.depends("origin_model", "origin_id")
    def _compute_can_close(self):
        for request in self:
            request.can_close = request._asked_from()._can_be_closed()

    @api.depends("reply_state", "reply_lang")
    def _compute_reply_preview(self):
        """Show the text, with dots for what is not known before it is sent."""
        for request in self:
            template = request.reply_state and self.env["amazon.reply.template"]._find(
                request._asked_kind(),
                request.reply_state,
                request.reply_lang,
                request.order_id.company_id,
            )
            if not template:
                request.reply_preview = False
                continue
            names = known_placeholders(template.situation, template.stage)
            values = {
                **dict.fromkeys(names, "…"),
                **template._order_values(request.order_id),
            }
            request.reply_preview = template._render(values)[1]

    @api.depends("reply_state", "origin_model", "origin_id")
    def _compute_reply_problem(self):
        for request in self:
            problem = request.reply_state and request._find_reply_problem()
            request.reply_problem = problem

    @api.depends("reply_state", "origin_model", "origin_id")
    def _compute_recipient_doubt(self):
        for request in self:
            asked = request.reply_state and request._find_recipient_doubt()
            request.recipient_doubt = asked

    def _find_recipient_doubt(self):
        """Return why the address may not be the buyer's, or False."""
        return self._asked_from()._recipient_doubt()

    def _find_reply_problem(self):
        """Return why the buyer cannot be written to by any way, or False."""
        by_mail = self._asked_from()._mail_blocker()
        if not by_mail:
            return False
        by_message = self.env["amazon.action.kind.message"]._blockers(self.order_id)
        return bool(by_message) and "\n".join(dict.fromkeys([by_mail, *by_message]))

    # === BUSINESS METHODS === #

    def _ask(self):
        """Override to take down, in the same transaction, what reply is wanted."""
        reply = self._prepare_reply()
        action = super()._ask()
        if reply:
            self.env["amazon.reply"]._ask_for(action, reply)
        return action

    def _prepare_reply(self):
        """Return the reply that is wanted, as values; none where empty.

        :rtype: dict
        :raise AccessError: when the user may not write to buyers
        :raise UserError: when there is no way to write to this one
        """
        if not self.reply_state:
            return {}
        self.env["amazon.action.kind.message"]._check_right()
        problem = self._find_reply_problem()
        if problem:
            raise UserError(
                self.env._("The reply to the buyer is not possible. %s", problem)
            )
        if not self.reply_preview:
            raise UserError(
                self.env._(
                    "There is no reply template for it. An administrator can write one "
                    "under Amazon > Configuration > Reply Templates."
                )
            )
        return {
            "recipient": self._asked_from()._recipient(),
            "is_recipient_meant": self._check_recipient_meant(),
            "awaited_state": self.reply_state,
            "lang": self.reply_lang,
            "close_document": self.close_document and self.can_close,
        }

    def _check_recipient_meant(self):
        """Refuse an address that may not be the buyer's, unless a person says so.

        :return: whether a person had to
        :rtype: bool
        :raise UserError: with the sentence that says why
        """
        doubt = self._find_recipient_doubt()
        if doubt and not self.is_recipient_meant:
            raise UserError(
                self.env._(
                    "%s Tick that this address is the buyer's, or write from the other "
                    "document.",
                    doubt,
                )
            )
        return bool(doubt)
