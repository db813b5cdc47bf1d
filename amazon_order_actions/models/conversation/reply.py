from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, plaintext2html

from odoo.addons.queue_job.exception import RetryableJobError

from ..base.background import in_background
from ..watch.check import NeededJob
from .reply_rules import FAILED_STATES, LANGUAGES, STAGE_OF_STATE

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
# News after which an earlier reply holds again.
RESCUED = ("submitted", "accepted", "confirmed", "assisted")
ACTIVITY = "amazon_order_actions.mail_activity_type_reply"


class AmazonReply(models.Model):
    """The reply to the buyer that an agent wants sent when Amazon is so far with an
    action; one for an action at most.

    Its state decides what is sent, and moves in the transaction that hands the mail to
    Odoo's queue: so it is handed over once, however often the job runs.
    """

    _name = "amazon.reply"
    _inherit = ["amazon.own.defaults", "amazon.document.access", "amazon.plain.export"]
    _description = "Amazon Reply"
    _order = "id desc"
    _rec_name = "action_id"
    _check_company_auto = True

    action_id = fields.Many2one(
        "amazon.action",
        required=True,
        readonly=True,
        ondelete="cascade",
        check_company=True,
        index=True,
    )
    account_id = fields.Many2one(related="action_id.account_id", store=True)
    company_id = fields.Many2one(related="action_id.company_id", store=True)
    awaited_state = fields.Selection(
        REPLY_STATES, "Reply When", required=True, readonly=True
    )
    lang = fields.Selection(
        LANGUAGES, "Language of the Reply", required=True, readonly=True
    )
    close_document = fields.Boolean("Then Close It", readonly=True)
    recipient = fields.Char(
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
    state = fields.Selection(
        [
            ("waiting", "Waits"),
            ("sent", "Sent"),
            ("failed", "Could not be sent"),
            ("dropped", "Not sent"),
            ("correcting", "To be corrected"),
            ("corrected", "Corrected"),
        ],
        "Reply",
        default="waiting",
        required=True,
        readonly=True,
        copy=False,
    )
    sent_at = fields.Datetime("Replied", readonly=True, copy=False)

    _action_uniq = models.Constraint(
        "unique(action_id)", "The buyer is written to once about an action."
    )
    # What goes on when messages are resumed.
    _waiting_idx = models.Index("(account_id) WHERE state = 'waiting'")

    # === ACCESS === #

    @api.model
    def _access_domain(self):
        """Override: who may read the action."""
        return self.env["amazon.action"]._of_readable("action_id")

    # === BUSINESS METHODS - WHEN === #

    @api.model
    def _ask_for(self, action, vals):
        """Take down that the buyer is to be written to; once for an action.

        :param amazon.action action: what it is about
        :param dict vals: ``awaited_state``, ``lang``, ``close_document``,
            ``recipient``, ``is_recipient_meant``
        """
        action_sudo = action.sudo()
        if action_sudo.reply_ids:
            return
        action_sudo.env["amazon.reply"].create(
            {
                **vals,
                "action_id": action_sudo.id,
                # known here; computed, they would cost an UPDATE
                "account_id": action_sudo.account_id.id,
                "company_id": action_sudo.company_id.id,
            }
        )
        action_sudo.env["amazon.action.follower.reply"]._follow_contained(action_sudo)

    @api.model
    def _take_of(self, actions):
        """Take the replies that belong to actions, for the rest of this transaction.

        A job that sends one at this moment is waited for; this transaction then fails
        to serialize, is run again by Odoo, and sees that it is sent.

        :return: the replies, by action
        :rtype: dict
        """
        actions.flush_recordset()
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id FROM amazon_reply
                 WHERE action_id IN %s
                 ORDER BY id
                   FOR NO KEY UPDATE
                """,
                tuple(actions.ids),
            )
        )
        return self.browse(row[0] for row in rows).grouped("action_id")

    def _has_reached(self):
        """Whether Amazon is surely so far that the buyer is to be written to."""
        action = self.action_id
        is_so_far = action.state in REACHED[self.awaited_state]
        return is_so_far and not action.filtered_domain(action._perhaps_taken())

    def _follow(self):
        """Write to the buyer, or correct what was written, by what is known by now."""
        action = self.action_id
        if self.state == "waiting" and self._has_reached():
            self._enqueue()
        elif self.state == "waiting" and action.state in FAILED_STATES:
            self.state = "dropped"
            self._take_back_message()
            action._post(
                lambda action: self.env._(
                    "%s: the reply was not sent, the buyer was told nothing.",
                    action.name,
                )
            )
        elif self.state == "sent" and self._does_not_hold():
            self._correct()
        elif (
            self.state == "correcting"
            and action.state in RESCUED
            # what the buyer was told was more than what came of it
            and not action._is_part_rejected()
        ):
            self.state = "sent"
            self._drop_activity(action)

    def _does_not_hold(self):
        """Whether what the buyer was told cannot be upheld."""
        action = self.action_id
        return (
            # nobody knows
            action.needs_person
            or action.state in FAILED_STATES
            or (action.state == "unknown" and action._is_part_rejected())
        )

    def _enqueue(self):
        in_background(self, self.company_id).with_delay(
            priority=10,
            max_retries=0,
            description=f"Reply to the buyer about {self.action_id.name}",
            identity_key=f"amazon_reply_{self.id}",
        )._job_reply()

    # === BUSINESS METHODS - WRITING === #

    def _job_reply(self):
        """Write to the buyer what is known by now. Job; safe to run twice.

        :raise RetryableJobError: while somebody else changes it, or the action
        """
        self.ensure_one()
        # the action first, as whoever moves it
        action = self.action_id.try_lock_for_update(allow_referencing=True)
        if not action or not self.try_lock_for_update(allow_referencing=True):
            raise RetryableJobError("Being changed.", seconds=5, ignore_retry=True)
        self.invalidate_recordset(["state"])
        action.invalidate_recordset(["state"])
        if (
            self.state == "waiting"
            and self._has_reached()
            # its end enqueues it again
            and not action.account_id._holds_of("message")
        ):
            self._reply()
            action.order_id._notify_forms()

    def _reply(self):
        """Write to the buyer by the way that is open, or say why there is none."""
        problem, message = False, self.env["amazon.action"]
        try:
            with self.env.cr.savepoint():
                message = self._send()
        except UserError as error:
            problem = str(error)
        if problem:
            self.state = "failed"
            self._ask_person(
                self.action_id,
                self.env._("Reply to the buyer"),
                self.env._("The reply to the buyer was not sent. %s", problem),
            )
            return
        # what waits for a second person has not been said
        if message.state != "to_approve":
            self._set_sent()

    def _set_sent(self):
        self.write({"state": "sent", "sent_at": fields.Datetime.now()})
        if self.close_document:
            self.action_id._get_origin()._close_after_reply()

    def _send(self):
        """Send the reply, or ask for it.

        :return: the message that was asked for, empty where a mail was sent
        :rtype: amazon.action
        :raise UserError: when no way is open
        """
        action = self.action_id
        document = action._get_origin()
        self._check_document(document)
        subject, text = self._render()
        blocker = document._mail_blocker()
        if not blocker:
            document._check_recipient(self.recipient)
            document._send_reply_mail(
                subject, text, action.user_id, self.is_recipient_meant
            )
            return action.browse()
        # As the person who asked, who has the right to; checked again here.
        handler = self.env["amazon.action.kind.message"]
        message_blockers = handler._blockers(action.order_id)
        if message_blockers:
            raise UserError("\n".join([blocker, *message_blockers]))
        message = (
            handler.with_user(action.user_id)
            .with_context(allowed_company_ids=self.company_id.ids)
            ._ask(
                action.order_id,
                f"reply-{action.id}",
                document.with_user(action.user_id),
                "unexpectedProblem",
                text,
            )
        )
        return message.with_env(self.env)

    def _check_document(self, document):
        """Refuse to write from a document that is about another order by now: it is
        this action's order, and its company, that the buyer is written to about.

        :raise UserError: with the sentence that says why
        """
        order = self.action_id.order_id
        if document._get_amazon_order() != order:
            raise UserError(
                self.env._(
                    "%(document)s is not about the Amazon order %(order)s any more. "
                    "Write to the buyer from a document that is.",
                    document=document.display_name,
                    order=order.amazon_order_ref,
                )
            )

    @api.model
    def _stage_of(self, action):
        """Return what a reply may say of an action by now; a correction only where a
        reply went out that does not hold.

        :param amazon.action action: in sudo mode
        """
        if action.reply_ids.state == "correcting":
            return "correction"
        return STAGE_OF_STATE[action.state]

    def _render(self):
        """Return subject and text, with what is known by now."""
        action = self.action_id
        return self.env["amazon.reply.template"]._render_about(
            action, self._stage_of(action), self.lang
        )

    # === BUSINESS METHODS - CORRECTING === #

    def _correct(self):
        """Ask the person who wrote to the buyer for a correction, with a draft of it.
        Nothing is sent by itself."""
        self.state = "correcting"
        try:
            _subject, text = self._render()
        except UserError:
            # no text for it: the person writes one
            text = ""
        self._ask_person(
            self.action_id,
            self.env._("Correct the reply to the buyer"),
            self.env._(
                "The buyer was written to on %(when)s, and that does not hold: "
                "%(known)s The draft of a correction is in the dialog Reply; it is not "
                "sent by itself.",
                when=fields.Date.to_string(self.sent_at),
                known=self.action_id.state_message,
            ),
            text,
        )

    # === BUSINESS METHODS - THE MESSAGE THAT CARRIES IT === #

    def _take_back_message(self):
        """Withdraw the message that has not left, since what it says does not hold."""
        message = self.env["amazon.action"].search(
            [
                ("nonce", "=", f"reply-{self.action_id.id}"),
                ("state", "in", ("to_approve", "queued")),
            ]
        )
        message._set_withdrawn(
            self.env._(
                "The message was taken back: what it says does not hold any more. The "
                "buyer was told nothing."
            )
        )

    @api.model
    def _carried_by(self, message):
        """Return the reply that a message carries, or an empty recordset.

        :param amazon.action message: a message through Amazon
        """
        prefix, _dash, action_id = message.nonce.partition("-")
        if prefix != "reply" or not action_id.isdecimal():
            return self.browse()
        return self.search([("action_id", "=", int(action_id))])

    @api.model
    def _open_again(self, message):
        """The buyer did not get, or may not have got, a message."""
        carried = self._carried_by(message)
        if carried.state in ("sent", "waiting"):
            carried.state = "failed"
        if carried or message._get_origin()._is_closed():
            self._ask_person(
                message, self.env._("Reply to the buyer"), message.state_message
            )

    @api.model
    def _settle(self, message):
        """The buyer has a message that was in doubt: nobody needs to write again."""
        carried = self._carried_by(message)
        if carried.state == "waiting":
            # a second person approved it, and Amazon has taken it
            carried._set_sent()
        elif carried.state == "failed":
            carried.state = "sent"
            self._drop_activity(message)
            carried._follow()

    # === BUSINESS METHODS - WHO IS ASKED === #

    @api.model
    def _ask_person(self, action, summary, sentence, draft=""):
        """Open the document again and give the person who asked something to do.

        :param amazon.action action: what it is about
        :param str summary: what there is to do
        :param str sentence: why
        :param str draft: of a text for the buyer
        """
        document = action._get_origin()
        document._reopen_after_reply()
        note = Markup("<p>%s</p>") % f"{action.name}: {sentence}"
        if document:
            # it may have gone with its addon
            document._message_log(body=note)
        person = self._person_to_ask(action)
        action._record_for(person).activity_schedule(
            ACTIVITY,
            summary=summary,
            note=note + (plaintext2html(draft) if draft else ""),
            user_id=person.id,
        )

    @api.model
    def _drop_activity(self, action):
        """Take back what there was to do about an action, and about no other."""
        about_it = [("note", "like", f"{action.name}:")]
        for record in (action._get_origin(), action):
            activities = record.activity_search([ACTIVITY], additional_domain=about_it)
            activities.unlink()

    @api.model
    def _person_to_ask(self, action):
        """Return who asked, or who is in charge of the document where that one left."""
        people = action.user_id | action._get_origin()._person_in_charge()
        return people.filtered("active")[:1] or action.user_id


class AmazonCheckReply(models.AbstractModel):
    """Has replies sent whose job is lost."""

    _name = "amazon.check.reply"
    _inherit = "amazon.check"
    _description = "Amazon Checks of Replies"

    @api.model
    def _needed_jobs(self, before):
        """Override: replies that wait."""
        is_sure = ~self.env["amazon.action"]._perhaps_taken()
        reached = Domain.OR(
            Domain("awaited_state", "=", awaited)
            & Domain("action_id", "any", Domain("state", "in", states) & is_sure)
            for awaited, states in REACHED.items()
        )
        return [
            NeededJob(
                "amazon.reply",
                "_job_reply",
                [
                    ("state", "=", "waiting"),
                    ("action_id.last_state_change", "<", before),
                    # the end of a stop enqueues what it held
                    ("account_id", "not in", self._silenced_accounts().ids),
                    *reached,
                ],
                lambda reply: reply._enqueue(),
            ),
        ]

    def _silenced_accounts(self):
        """Return the accounts of the company whose messages are stopped."""
        accounts = self.env["amazon.seller.account"].with_context(active_test=False)
        of_company = accounts.search([("company_id", "=", self.env.company.id)])
        return of_company.filtered(lambda account: account._holds_of("message"))
