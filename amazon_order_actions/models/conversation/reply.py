import textwrap

from markupsafe import Markup

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import plaintext2html

from odoo.addons.queue_job.exception import RetryableJobError

from ..base.background import in_background
from ..sending.foreign_feed import DOUBTFUL
from .reply_content import visible
from .reply_rules import (
    FAILED_STATES,
    LANGUAGES,
    STAGE_OF_STATE,
    money,
)

# When the agent wants the buyer to be written to -> the states that are as good.
REPLY_STATES = [
    ("submitted", "Amazon has received it"),
    ("accepted", "Amazon has accepted it"),
    ("confirmed", "Amazon's data shows it"),
]
REACHED = {
    "submitted": ("submitted", "assisted", "accepted", "confirmed"),
    "accepted": ("accepted", "confirmed"),
    "confirmed": ("confirmed",),
}
# Amazon has received a feed that was taken for theirs, and may be another program's.
SUBMITTED_PERHAPS = Domain("state", "=", "submitted") & Domain(
    "feed_id", "any", DOUBTFUL
)
# States of a message that the buyer has, as far as anybody knows.
MESSAGE_GONE = ("accepted", "assisted")
# News after which an earlier reply holds again.
RESCUED = ("submitted", "accepted", "confirmed", "assisted")
ACTIVITY = "amazon_order_actions.mail_activity_type_reply"
# Characters of an item's title, so that a message stays short.
TITLE_LENGTH = 70


class AmazonAction(models.Model):
    """The reply to the buyer that an agent wants sent when Amazon is so far.

    ``reply_status`` decides what is sent, and moves in the transaction that hands the
    mail to Odoo's queue: so it is handed over once, however often the job runs.
    """

    _inherit = "amazon.action"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    reply_state = fields.Selection(REPLY_STATES, "Reply When", readonly=True)
    reply_lang = fields.Selection(LANGUAGES, "Language of the Reply", readonly=True)
    close_document = fields.Boolean("Then Close It", readonly=True)
    reply_recipient = fields.Char(
        readonly=True,
        copy=False,
        groups=fields.NO_ACCESS,
        help="Digest of the order's number and the buyer's address at the click.",
    )
    is_recipient_meant = fields.Boolean(
        "Address Is Meant",
        readonly=True,
        copy=False,
        help="Another buyer's address is known for the order, and whoever asked said "
        "that the reply goes to the right one.",
    )
    reply_status = fields.Selection(
        [
            ("waiting", "Waits"),
            ("sent", "Sent"),
            ("failed", "Could not be sent"),
            ("dropped", "Not sent"),
            ("correcting", "To be corrected"),
            ("corrected", "Corrected"),
        ],
        "Reply",
        readonly=True,
        copy=False,
    )
    reply_sent_at = fields.Datetime("Replied", readonly=True, copy=False)

    # What goes on when messages are resumed.
    _reply_waiting_idx = models.Index("(account_id) WHERE reply_status = 'waiting'")

    # === BUSINESS METHODS - WHEN === #

    def _set_reply(self, vals):
        """Take down that the buyer is to be written to; once for an action.

        :param dict vals: ``reply_state``, ``reply_lang``, ``close_document``,
            ``reply_recipient``, ``is_recipient_meant``
        """
        action_sudo = self.sudo()
        if action_sudo.reply_state:
            return
        action_sudo.write({**vals, "reply_status": "waiting"})
        self.env["amazon.action.follower.reply"]._follow_contained(action_sudo)

    def _follow_replies(self):
        """Write to the buyer, or correct what was written."""
        for action in self:
            if action.kind == "message" and (
                action.state in FAILED_STATES or action.needs_person
            ):
                action._open_again_for_message()
            elif action.kind == "message" and action.state in MESSAGE_GONE:
                action._settle_message()
            elif action.needs_person and action.reply_status == "sent":
                # what the buyer was told cannot be upheld while nobody knows
                action._correct_reply()
            elif action.reply_status:
                action._follow_reply()

    def _has_reached_reply(self):
        """Whether Amazon is surely so far that the buyer is to be written to."""
        is_so_far = self.state in REACHED[self.reply_state]
        return is_so_far and not self.filtered_domain(SUBMITTED_PERHAPS)

    def _follow_reply(self):
        status = self.reply_status
        if status == "waiting" and self._has_reached_reply():
            self._enqueue_reply()
        elif status == "waiting" and self.state in FAILED_STATES:
            self.reply_status = "dropped"
            self._take_back_message()
            self._post(
                lambda action: self.env._(
                    "%s: the reply was not sent, the buyer was told nothing.",
                    action.name,
                )
            )
        elif status == "sent" and self.state in FAILED_STATES:
            self._correct_reply()
        elif status == "sent" and self.state == "unknown" and self._is_part_rejected():
            self._correct_reply()
        elif (
            status == "correcting"
            and self.state in RESCUED
            # what the buyer was told was more than what came of it
            and not self._is_part_rejected()
        ):
            self.reply_status = "sent"
            self._drop_activity()

    def _enqueue_reply(self):
        in_background(self, self.company_id).with_delay(
            priority=10,
            max_retries=0,
            description=f"Reply to the buyer about {self.name}",
            identity_key=f"amazon_reply_{self.id}",
        )._job_reply()

    # === BUSINESS METHODS - WRITING === #

    def _job_reply(self):
        """Write to the buyer what is known by now. Job; safe to run twice.

        :raise RetryableJobError: while somebody else changes the action
        """
        self.ensure_one()
        action = self.try_lock_for_update(allow_referencing=True)
        if not action:
            raise RetryableJobError("Being changed.", seconds=5, ignore_retry=True)
        action.invalidate_recordset(["reply_status", "state"])
        if (
            action.reply_status == "waiting"
            and action._has_reached_reply()
            # its end enqueues it again
            and not action.account_id._stops_of("message")
        ):
            action._reply()
            action.order_id._notify_forms()

    def _reply(self):
        """Write to the buyer by the way that is open, or say why there is none."""
        problem, message = False, self.browse()
        try:
            with self.env.cr.savepoint():
                message = self._send_reply()
        except UserError as error:
            problem = str(error)
        if problem:
            self.reply_status = "failed"
            self._ask_person(
                self.env._("Reply to the buyer"),
                self.env._("The reply to the buyer was not sent. %s", problem),
            )
            return
        # what waits for a second person has not been said
        if message.state != "to_approve":
            self._set_replied()

    def _set_replied(self):
        self.write({"reply_status": "sent", "reply_sent_at": fields.Datetime.now()})
        if self.close_document:
            self._get_origin()._close_after_reply()

    def _take_back_message(self):
        """Withdraw the message that has not left, since what it says does not hold."""
        message = self.search(
            [
                ("nonce", "=", f"reply-{self.id}"),
                ("state", "in", ("to_approve", "queued")),
            ]
        )
        message._set_withdrawn(
            self.env._(
                "The message was taken back: what it says does not hold any more. The "
                "buyer was told nothing."
            )
        )

    def _send_reply(self):
        """Send the reply, or ask for it.

        :return: the message that was asked for, empty where a mail was sent
        :rtype: amazon.action
        :raise UserError: when no way is open
        """
        document = self._get_origin()
        self._check_reply_document(document)
        subject, text = self._render_reply(self._reply_stage(), self.reply_lang)
        blocker = document._mail_blocker()
        if not blocker:
            document._check_recipient(self.reply_recipient)
            document._send_reply_mail(
                subject, text, self.user_id, self.is_recipient_meant
            )
            return self.browse()
        handler = self.env["amazon.action.kind.message"]
        message_blockers = handler._blockers(self.order_id)
        if message_blockers:
            raise UserError("\n".join([blocker, *message_blockers]))
        # As the person who asked, who has the right to; checked again here.
        message = (
            self.with_user(self.user_id)
            .with_context(allowed_company_ids=self.company_id.ids)
            ._ask_message(
                self.order_id,
                f"reply-{self.id}",
                document.with_user(self.user_id),
                "unexpectedProblem",
                text,
            )
        )
        return message.with_env(self.env)

    def _check_reply_document(self, document):
        """Refuse to write from a document that is about another order by now: it is
        this action's order, and its company, that the buyer is written to about.

        :raise UserError: with the sentence that says why
        """
        if document._get_amazon_order() != self.order_id:
            raise UserError(
                self.env._(
                    "%(document)s is not about the Amazon order %(order)s any more. "
                    "Write to the buyer from a document that is.",
                    document=document.display_name,
                    order=self.order_id.amazon_order_ref,
                )
            )

    def _reply_stage(self):
        """Return what a reply may say of this action by now; a correction only where a
        reply went out that does not hold."""
        if self.reply_status == "correcting":
            return "correction"
        return STAGE_OF_STATE[self.state]

    def _render_reply(self, stage, lang):
        """Return subject and text of a reply, with what is known by now.

        :param str stage: one of ``STAGES``
        :param str lang: one of ``LANGUAGES``
        :rtype: tuple[str, str]
        :raise UserError: when there is no text for it
        """
        template = self.env["amazon.reply.template"]._find(
            self.kind, stage, lang, self.company_id
        )
        if not template:
            raise UserError(
                self.env._(
                    "There is no reply template for it. An administrator can write "
                    "one under Amazon > Configuration > Reply Templates."
                )
            )
        return template._render(self._reply_values(lang))

    def _reply_values(self, lang):
        """Return what is known of this action, as text for a buyer.

        The template takes of it only what may be said at its stage.

        :param str lang: one of ``LANGUAGES``
        :rtype: dict
        """
        action_sudo = self.sudo()
        lines = action_sudo.line_ids._standing()
        # Each item of a refund has a number of its own in Amazon's settlement.
        transactions = [
            f"{self.name}-{of_item[0].id}"
            for of_item in lines.grouped("order_line_id").values()
        ]
        refunds = self.env["amazon.order.refund"].sudo()
        adjustments = refunds.search([("action_id", "=", self.id)])
        return {
            **self.order_id._reply_values(),
            "amount": money(
                self.amount, self.currency_id.name, lang, self.order_id.marketplace
            ),
            "items": self._reply_items(),
            "confirmation": self.name,
            "feed": action_sudo.feed_id.feed_ref or action_sudo.request_ref,
            "transaction": ", ".join(transactions),
            "refund_id": ", ".join(
                dict.fromkeys(filter(None, adjustments.mapped("adjustment_ref")))
            ),
        }

    def _reply_items(self):
        """Return the items that it is about; all of the order where it names none."""
        action_sudo = self.sudo()
        units = {
            line.order_line_id: line.quantity
            for line in action_sudo.line_ids._standing().filtered("order_line_id")
        }
        names = []
        for item in units or action_sudo.order_id.line_ids:
            name = textwrap.shorten(
                visible(item.title) or item.sku or item.amazon_item_ref,
                TITLE_LENGTH,
                placeholder="…",
            )
            count = units.get(item)
            names.append(f"{count} x {name}" if count else name)
        return "; ".join(names)

    # === BUSINESS METHODS - CORRECTING === #

    def _correct_reply(self):
        """Ask the person who wrote to the buyer for a correction, with a draft of it.
        Nothing is sent by itself."""
        self.reply_status = "correcting"
        try:
            _subject, text = self._render_reply("correction", self.reply_lang)
        except UserError:
            # no text for it: the person writes one
            text = ""
        self._ask_person(
            self.env._("Correct the reply to the buyer"),
            self.env._(
                "The buyer was written to on %(when)s, and that does not hold: "
                "%(known)s The draft of a correction is in the dialog Reply; it is not "
                "sent by itself.",
                when=fields.Date.to_string(self.reply_sent_at),
                known=self.state_message,
            ),
            text,
        )

    def _open_again_for_message(self):
        """The buyer did not get, or may not have got, a message."""
        replied = self._replied_action()
        if replied.reply_status in ("sent", "waiting"):
            replied.reply_status = "failed"
        if replied or self._get_origin()._is_closed():
            self._ask_person(self.env._("Reply to the buyer"), self.state_message)

    def _settle_message(self):
        """The buyer has a message that was in doubt: nobody needs to write again."""
        replied = self._replied_action()
        if replied.reply_status == "waiting":
            # a second person approved it, and Amazon has taken it
            replied._set_replied()
        elif replied.reply_status == "failed":
            replied.reply_status = "sent"
            self._drop_activity()
            replied._follow_reply()

    def _replied_action(self):
        """Return the action whose reply this message is, or an empty recordset."""
        prefix, _dash, action_id = self.nonce.partition("-")
        if prefix != "reply" or not action_id.isdecimal():
            return self.browse()
        return self.browse(int(action_id)).exists()

    def _ask_person(self, summary, sentence, draft=""):
        """Open the document again and give the person who asked something to do.

        :param str summary: what there is to do
        :param str sentence: why
        :param str draft: of a text for the buyer
        """
        document = self._get_origin()
        document._reopen_after_reply()
        note = Markup("<p>%s</p>") % f"{self.name}: {sentence}"
        if document:
            # it may have gone with its addon
            document._message_log(body=note)
        person = self._person_to_ask()
        self._record_for(person).activity_schedule(
            ACTIVITY,
            summary=summary,
            note=note + (plaintext2html(draft) if draft else ""),
            user_id=person.id,
        )

    def _drop_activity(self):
        """Take back what there was to do about this action, and about no other."""
        about_it = [("note", "like", f"{self.name}:")]
        for record in (self._get_origin(), self):
            activities = record.activity_search([ACTIVITY], additional_domain=about_it)
            activities.unlink()

    def _person_to_ask(self):
        """Return who asked, or who is in charge of the document where that one left."""
        people = self.user_id | self._get_origin()._person_in_charge()
        return people.filtered("active")[:1] or self.user_id


class AmazonActionFollowerReply(models.AbstractModel):
    """The buyer is written to, or what was written is corrected."""

    _name = "amazon.action.follower.reply"
    _inherit = "amazon.action.follower"
    _description = "Replies to Buyers After Amazon Actions"

    _place = 80

    def _follow(self, actions):
        actions._follow_replies()

    def _failed(self):
        return self.env._(
            "The reply to the buyer could not be taken care of. Look at it."
        )


class AmazonSellerAccount(models.Model):
    _inherit = "amazon.seller.account"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    def _resume_sending(self, kind=False):
        """Override to write to the buyers whose replies were held."""
        result = super()._resume_sending(kind)
        if kind in (False, "message"):
            held = (
                self.env["amazon.action"]
                .sudo()
                .search(
                    [("account_id", "in", self.ids), ("reply_status", "=", "waiting")]
                )
            )
            held.env["amazon.action.follower.reply"]._follow_contained(held)
        return result


class AmazonOrder(models.Model):
    _inherit = "amazon.order"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    def _reply_values(self):
        """Return what is known of the order, as text for its buyer.

        :rtype: dict
        """
        self.ensure_one()
        return {
            "order": self.amazon_order_ref,
            "shop": self.account_id.sudo()._shop_name(),
        }

    def _panel_actions(self, rows):
        """Override to say what became of the reply to the buyer."""
        actions = super()._panel_actions(rows)
        by_id = {row["id"]: row for row in rows}
        for action in actions:
            action["reply"] = self._panel_reply(by_id[action["id"]])
        return actions

    def _panel_reply(self, row):
        """Return the sentence on the reply that belongs to an action, or False."""
        waiting = {
            "submitted": self.env._(
                "The buyer is written to as soon as Amazon has received it."
            ),
            "accepted": self.env._(
                "The buyer is written to as soon as Amazon has accepted it."
            ),
            "confirmed": self.env._(
                "The buyer is written to as soon as Amazon's data shows it."
            ),
        }
        return {
            "waiting": waiting.get(row["reply_state"]),
            "sent": self.env._("The buyer was written to."),
            "failed": self.env._("The reply could not be sent. Write to the buyer."),
            "dropped": self.env._("The buyer was not written to about it."),
            "corrected": self.env._("The buyer was sent a correction."),
            "correcting": self.env._(
                "The buyer was written to, and that does not hold: correct it with "
                "Reply."
            ),
        }.get(row["reply_status"], False)


class AmazonAlarm(models.Model):
    _inherit = "amazon.alarm"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    def _needed_jobs_beside(self, before):
        """Override to have replies sent whose job is lost."""
        reached = Domain.OR(
            Domain("reply_state", "=", reply_state) & Domain("state", "in", states)
            for reply_state, states in REACHED.items()
        )
        return [
            *super()._needed_jobs_beside(before),
            (
                "amazon.action",
                "_job_reply",
                [
                    ("reply_status", "=", "waiting"),
                    ("last_state_change", "<", before),
                    # the end of a stop enqueues what it held
                    ("account_id", "not in", self._silenced_accounts().ids),
                    *(reached & ~SUBMITTED_PERHAPS),
                ],
                lambda action: action._enqueue_reply(),
            ),
        ]

    def _silenced_accounts(self):
        """Return the accounts of the company whose messages are stopped."""
        accounts = self.env["amazon.seller.account"].with_context(active_test=False)
        of_company = accounts.search([("company_id", "=", self.env.company.id)])
        stops = of_company._open_stops().filtered(
            lambda stop: stop.kind in (False, "message")
        )
        return of_company.filtered(lambda account: account._stops_among(stops))
