import hashlib
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import plaintext2html
from odoo.tools.translate import LazyTranslate

from ...spapi.enums import MESSAGE_LIMITS
from ...spapi.operations import MESSAGE_OPERATIONS
from ..action.reservation import ActionRequest
from ..base.clock import database_now, latest_credible
from ..order.reading import ORDER_FRESH_SECONDS
from .reply_content import forbidden

_lt = LazyTranslate(__name__)

# Types of messages that are text alone (Messaging v1); the one that fits most first.
MESSAGE_TYPES = [
    ("unexpectedProblem", "Unexpected problem with the order"),
    ("confirmOrderDetails", "Question before the order is shipped"),
    ("confirmDeliveryDetails", "Arrangement of the delivery"),
    ("confirmServiceDetails", "Arrangement of a service"),
    ("confirmCustomizationDetails", "Question about the customisation"),
]


class AmazonAction(models.Model):
    """What belongs to an action of what is written to the buyer."""

    _inherit = "amazon.action"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    text_message_id = fields.Many2one(
        "mail.message",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
        groups=fields.NO_ACCESS,
        help="The note that holds what was written to the buyer.",
    )
    # one at most
    reply_ids = fields.One2many("amazon.reply", "action_id", readonly=True)


class AmazonActionMessage(models.AbstractModel):
    """Message to the buyer of an order, through Messaging v1: one text of a type that
    Amazon allows for the order right now.

    Before each sending Amazon is asked which messages the order allows: that changes
    with the order, and with what was sent.

    Amazon checks the text when it takes it, and sends it on. What was sent cannot be
    read back, so nothing confirms it, and an unknown outcome goes to a person.
    """

    _name = "amazon.action.kind.message"
    _inherit = "amazon.action.kind"
    _description = "Amazon Message to the Buyer"

    _label = _lt("Message to the Buyer")
    _sequence = 80
    _dialog = "amazon.reply.request"
    _group = "amazon_order_actions.group_message"
    _answered_state = "accepted"
    _is_shown_by_amazon = False
    _sentences = {
        "queued": _lt(
            "%(user)s writes to the buyer of %(order)s through Amazon (%(type)s). "
            "Nothing is sent to Amazon yet."
        ),
        "sending": _lt(
            "The message to the buyer of %(order)s is being sent to Amazon."
        ),
        "unknown": _lt(
            "It is unknown whether Amazon has the message to the buyer of %(order)s. "
            "It is not sent again. Look at the messages in Seller Central."
        ),
        "accepted": _lt(
            "Amazon has taken the message to the buyer of %(order)s (%(type)s). Amazon "
            "does not tell whether the buyer has read it."
        ),
        "rejected": _lt(
            "Amazon has rejected the message to the buyer of %(order)s: %(text)s (code "
            "%(code)s). The buyer did not get it."
        ),
        "withdrawn": _lt(
            "The message to the buyer of %(order)s was withdrawn. Nothing was sent to "
            "Amazon."
        ),
    }

    # === WHO AND WHEN === #

    def _refusal(self):
        return self.env._(
            "You may not write to Amazon's buyers. An administrator can grant it to "
            "you (Amazon orders: Messages)."
        )

    def _blockers(self, order):
        if order.channel == "mcf":
            return [
                self.env._(
                    "Amazon only ships this order; its buyer bought elsewhere, and "
                    "Amazon passes on no messages. Write to the buyer there."
                )
            ]
        if not order.account_id.messaging_enabled:
            return [
                self.env._(
                    "Messages through Amazon's API are switched off for the account "
                    "%s. An administrator can switch them on.",
                    order.account_id.name,
                )
            ]
        not_read = self._not_read_blocker(order)
        if not_read:
            return [not_read]
        if not order.marketplace:
            return [
                self.env._(
                    "This order is from a marketplace that is not supported. Write to "
                    "the buyer in Seller Central."
                )
            ]
        return []

    def _late_blocker(self, action):
        details = action.details
        if details.get("problem"):
            return self.env._("Nothing was sent. %s", details["problem"])
        # Amazon is asked right before it is sent; until then it is not known
        if "allowed" in details and action.reason not in details["allowed"]:
            return self.env._(
                "Nothing was sent: Amazon does not allow this type of message for the "
                "order now. Write to the buyer by mail or in Seller Central."
            )
        # checked when it was asked for, and by Amazon; this one costs nothing
        return bool(forbidden(details["text"])) and self.env._(
            "Nothing was sent: the text holds something that Amazon does not allow."
        )

    # === ASKING === #

    @api.model
    def _ask(self, order, nonce, origin, message_type, text):
        """Ask for a message to the buyer, from the current user. Nothing is sent here.

        :param amazon.order order: the order that it is about
        :param str nonce: the same nonce is one message
        :param origin: the document that it is asked from
        :param str message_type: one of ``MESSAGE_TYPES``
        :param str text: what the buyer reads
        :return: the action
        :rtype: amazon.action
        :raise UserError: when it is not possible, with the sentence that says why
        """
        self.env["amazon.reply.template"]._check_reply(text)
        limit = MESSAGE_LIMITS.get(message_type)
        if not limit:
            raise UserError(self.env._("Choose the type of the message first."))
        if len(text) > limit:
            raise UserError(
                self.env._(
                    "The text has %(length)s characters; Amazon takes %(limit)s in a "
                    "message of this type. Make it shorter.",
                    length=len(text),
                    limit=limit,
                )
            )
        actions_sudo = self.env["amazon.action"].sudo()
        is_known = actions_sudo.search_count([("nonce", "=", nonce)], limit=1)
        # as the user whose action this is, whoever has read the order
        action = self.env["amazon.reservation"]._reserve(
            order,
            ActionRequest(
                "message", origin, nonce, message_type, details={"text": text}
            ),
        )
        if not is_known:
            # Amazon never shows it again; the conversation is kept in the document.
            action.sudo().text_message_id = origin.sudo()._message_log(
                body=plaintext2html(text), author_id=self.env.user.partner_id.id
            )
        return action

    # === WHAT AMAZON ALLOWS === #

    def _is_verified(self, action, is_read=False, now=None):
        """Override: a message depends on what Amazon allows to be sent, not on the
        order as such."""
        allowed_at = (action.details or {}).get("allowed_at")
        asked_at = fields.Datetime.to_datetime(allowed_at)
        now = now or database_now(self.env)
        oldest = now - timedelta(seconds=ORDER_FRESH_SECONDS)
        return bool(asked_at) and oldest <= asked_at <= latest_credible(now)

    def _verify(self, action):
        """Override to ask Amazon which messages the order allows now."""
        answer = self.env["amazon.messaging"]._read(action.order_id)
        if answer["problem"] and not answer["is_final"]:
            action.state_message = self.env._("Not sent yet: %s", answer["problem"])
            action.order_id._notify_forms()
        else:
            action.details = {
                **(action.details or {}),
                "allowed": answer["types"],
                "problem": answer["problem"],
                "allowed_at": fields.Datetime.to_string(database_now(self.env)),
            }
        return action.state == "queued"

    # === WHAT IS SENT === #

    def _build_call(self, action):
        order = action.order_id
        return "send_message", (
            order.amazon_order_ref,
            order.marketplace,
            action.reason,
            action.details["text"],
        )

    def _call_operation(self, action):
        return MESSAGE_OPERATIONS[action.reason]

    def _kept_details(self, details):
        """What was written is for the buyer alone; what proves it stays."""
        text = details.get("text")
        if text is None:
            return details
        digest = hashlib.sha256(text.encode()).hexdigest()
        return {"length": len(text), "sha256": digest}

    def _is_complete(self, details):
        return "text" in details

    # === HOW IT IS CONFIRMED === #

    def _is_confirmed(self, action):
        return False

    # === WHAT IS SAID === #

    def _sentence_values(self, action):
        types = dict(
            self.env["amazon.reply.request"]
            ._fields["message_type"]
            ._description_selection(self.env)
        )
        return {
            "order": action.order_id.amazon_order_ref,
            "user": action.user_id.name,
            "type": types.get(action.reason, action.reason),
            "code": action.amazon_code or "",
            "text": action.amazon_text or "",
        }
