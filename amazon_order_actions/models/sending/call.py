import hashlib
import json
from datetime import timedelta
from math import ceil

from odoo import api, fields, models
from odoo.fields import Domain

from ...spapi.errors import NotSent, Refused, Throttled
from ..account.connection import is_access_refused
from ..action.states import BEFORE_SENDING
from ..base.clock import any_ahead, bring_back, database_now
from ..base.containment import contained, log_failure
from ..base.private_log import private_logger

_logger = private_logger(__name__)

CALL_STATES = [
    ("sending", "Sending"),
    ("answered", "Answered"),
    ("not_sent", "Not sent"),
    ("refused", "Refused"),
    ("unknown", "Unknown"),
]


class AmazonCall(models.Model):
    """One sending of an action that is a call of its own, and what came of it: the twin
    of a feed, for a REST operation that concerns one order.

    It is created in the transaction that COMMITS *sending*, before the one call, and
    what came of it is recorded after it. A call whose sender died is *unknown*, never
    repeated; another sending of the same action is another row. What Amazon said in
    words stands with the action alone, where it is forgotten in time.
    """

    _name = "amazon.call"
    _inherit = ["amazon.own.defaults", "amazon.company.name", "amazon.plain.export"]
    _description = "Amazon Call"
    _order = "id desc"
    _rec_name = "operation"
    _check_company_auto = True

    action_id = fields.Many2one(
        "amazon.action",
        required=True,
        readonly=True,
        ondelete="restrict",
        index=True,
        check_company=True,
    )
    account_id = fields.Many2one(
        "amazon.seller.account",
        required=True,
        readonly=True,
        ondelete="restrict",
        check_company=True,
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="restrict", index=True
    )
    state = fields.Selection(CALL_STATES, required=True, readonly=True)
    # Made by its sender, who finds its own row by it where PostgreSQL's answer to the
    # commit was lost.
    token = fields.Char(required=True, readonly=True, groups=fields.NO_ACCESS)
    operation = fields.Char(
        required=True, readonly=True, help="Amazon's name of the operation."
    )
    digest = fields.Char(
        "Call SHA-256", required=True, readonly=True, help="Digest of what was sent."
    )
    request_ref = fields.Char(
        "Amazon Request",
        readonly=True,
        help="Amazon's id of the request (x-amzn-RequestId).",
    )
    sending_at = fields.Datetime(required=True, readonly=True)

    _token_uniq = models.Constraint(
        "unique(token)", "Each sending of a call is noted once."
    )
    _open_uniq = models.UniqueIndex(
        "(action_id) WHERE state = 'sending'",
        "This action is being sent already.",
    )
    _sent_idx = models.Index("(account_id, sending_at)")

    # === BUSINESS METHODS - BEFORE IT LEAVES === #

    @api.model
    def _begin(self, action, token, sent):
        """Note that an action is about to leave. For whoever holds its call, so that
        what is still open of it has lost its sender.

        :param amazon.action action: which is sent
        :param str token: made by the sender
        :param tuple sent: method of the client, and its arguments
        :return: the new sending
        :rtype: amazon.call
        """
        self._lose(action)
        content = json.dumps(sent, sort_keys=True)
        return self.create(
            {
                "action_id": action.id,
                "account_id": action.account_id.id,
                "company_id": action.company_id.id,
                "state": "sending",
                "token": token,
                "operation": action._kind()._call_operation(action),
                "digest": hashlib.sha256(content.encode()).hexdigest(),
                "sending_at": database_now(self.env),
            }
        )

    @api.model
    def _lose(self, action):
        """The sender of what is still open of an action is gone."""
        self.search([("action_id", "=", action.id), ("state", "=", "sending")]).write(
            {"state": "unknown"}
        )

    def _is_current(self):
        """Whether the action is in this sending, and nobody has settled it."""
        action = self.action_id
        is_open = self.state == "sending" and action.state == "sending"
        return is_open and action.call_id == self

    def _may_leave(self):
        """Whether this sending is still on, and nobody has stopped it since."""
        return self._is_current() and self.account_id._may_send(self.action_id.kind)

    # === BUSINESS METHODS - THE CALL === #

    @api.model
    def _make(self, client, method, args, name):
        """Make the one call that cannot be repeated. Reads nothing: the transaction of
        its job is older than this row, and the database may be gone by now.

        :param SellerClient client: of the account
        :param str method: of the client
        :param tuple args: of the method
        :param str name: of the action, for the log
        :return: what `_record` takes
        :rtype: tuple
        """
        try:
            request_ref = getattr(client, method)(*args)
        except (NotSent, Throttled) as error:
            wait = getattr(error, "wait", None)
            return "not_sent", error.request_id, str(error), wait
        except Refused as error:
            if error.may_be_repeated:
                return "not_sent", error.request_id, str(error), None
            refusal = error.message, error.code, error.http_status
            return "refused", error.request_id, *refusal
        except Exception as error:
            # Whatever it was, the request may have left: nobody knows.
            _logger.warning("%s of %s: %s", method, name, type(error).__name__)
            request_ref = getattr(error, "request_id", None)
            return "unknown", request_ref, self._unanswered()
        # For a person, should the database be gone at this very moment.
        _logger.info("%s of %s: Amazon's %s", method, name, request_ref)
        return "answered", request_ref

    def _unanswered(self):
        return self.env._(
            "Amazon did not answer when this was sent, so it is unknown whether Amazon "
            "has it. It is looked for at Amazon; it is not simply sent again."
        )

    # === BUSINESS METHODS - WHAT CAME OF IT === #

    def _record(self, state, request_ref, *said):
        """Record what came of this sending, and let its action follow.

        Its sender may learn it late: another host has called it unknown meanwhile, and
        a person may have had it sent again. That the first one failed says nothing of
        the second then; that it worked does count.

        :param str state: what came of it
        :param str request_ref: Amazon's id of the request, if there is one
        :param said: arguments of the method that lets the action follow
        """
        self.ensure_one()
        self.write({"state": state, "request_ref": request_ref or self.request_ref})
        action = self.action_id
        if action.call_id != self:
            _logger.warning("%s: late news of an earlier call: %s", action.name, state)
            if state != "answered":
                return
            action.call_id = self
        if action.state in BEFORE_SENDING:
            # It was decided to send it again, or a second person decides on that: only
            # that it left after all ends it.
            if state != "answered":
                _logger.warning("%s waits again, whatever %s", action.name, state)
                return
            self._take_for_sent()
        getattr(self, f"_follow_{state}")(*said)

    def _take_for_sent(self):
        """It left after all: it is not sent once more."""
        if self.action_id.state == "queued":
            self.action_id._set_sending()
        else:
            self.action_id._set_unknown(
                self.env._("Amazon has answered after all, so it is not sent again.")
            )

    def _follow_answered(self):
        """Amazon has taken the call."""
        action = self.action_id
        if action._kind()._answered_state == "accepted":
            action._set_accepted()
        else:
            action._set_submitted()
        contained(
            action,
            lambda one: one._kind()._after_answer(one),
            lambda one, error: one._set_aside(error),
        )

    def _follow_not_sent(self, reason, wait):
        """It is proven that Amazon has nothing; it waits again.

        :param str reason: for the log
        :param float wait: seconds, where Amazon said how long
        """
        action = self.action_id
        _logger.info("%s not sent: %s", action.name, reason)
        sentence = self.account_id._not_sent_sentence(action.kind)
        moved = action._set_back_to_queued(sentence)
        if moved:
            seconds = ceil(wait or moved._retry_seconds())
            moved.due_at = database_now(self.env) + timedelta(seconds=seconds)
            moved._enqueue_call()

    def _follow_refused(self, reason, code, http_status):
        """Amazon said no before it executed anything.

        :param str reason: Amazon's words
        :param str code: Amazon's code, or one of the strict layer
        :param int http_status: of the answer, None where it was not even sent
        """
        action = self.action_id
        kind = action._kind()
        reason = self._kept_refusal(reason)
        feed_type = kind._feed_instead(http_status)
        if feed_type:
            action._send_by_feed(feed_type, reason)
        elif is_access_refused(Refused("", reason, code, http_status)):
            action._block_call(
                self.env._(
                    "Amazon refused access: %s. Tell an administrator, who must check "
                    "the roles of the application.",
                    reason,
                )
            )
        else:
            action._set_rejected(code or str(http_status or ""), reason)

    def _kept_refusal(self, reason):
        """Return what of Amazon's words may be kept: nothing where the kind cannot
        say. That Amazon refused is recorded either way."""
        kept = ""

        def ask(action):
            nonlocal kept
            kept = action._kind()._kept_refusal(action, reason)

        contained(
            self.action_id,
            ask,
            lambda one, error: log_failure(one, "Amazon's words not kept", error),
        )
        return kept

    def _follow_unknown(self, reason):
        """Nobody can say whether Amazon has it."""
        self.action_id._mark_call_unknown(reason)

    # === BUSINESS METHODS - CLOCKS === #

    @api.model
    def _mend_future(self, account_ids, limit):
        """It was sent lately."""
        now = database_now(self.env)
        of_accounts = Domain("account_id", "in", account_ids)
        ahead = any_ahead(["sending_at"], now)
        calls = self.search(of_accounts & ahead, limit=limit)
        bring_back(calls, ["sending_at"], now)
        return len(calls)
