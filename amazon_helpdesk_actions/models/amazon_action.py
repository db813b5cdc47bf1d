import logging
from datetime import timedelta

from markupsafe import Markup
from psycopg2 import OperationalError

from odoo import Command, api, fields, models
from odoo.exceptions import LockError, UserError

from ..const import (
    ACTION_STATES,
    ACTION_TRANSITIONS,
    CONFIRM_ALERT_DAYS,
    CONFIRM_MAX_SECONDS,
    CONFIRM_MIN_SECONDS,
    SURPASSED,
)
from .amazon_feed import Lane
from .amazon_seller_participation import marketplace_selection
from .background import in_background

_logger = logging.getLogger(__name__)


class AmazonAction(models.Model):
    """One thing asked of Amazon for one order, and what is known of its outcome.

    The rows are the outbox: what is in state *queued* will be sent, and only the state
    decides that, never a job. All changes of state go through :meth:`_update_state`.
    """

    _name = "amazon.action"
    _description = "Amazon Action"
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char("Reference", required=True, readonly=True, copy=False)
    # Each kind adds itself, in its own file.
    kind = fields.Selection([], required=True, readonly=True)
    state = fields.Selection(
        ACTION_STATES, required=True, readonly=True, copy=False, index=True
    )
    state_message = fields.Char("Known", readonly=True, copy=False)
    last_state_change = fields.Datetime("Since", readonly=True, copy=False)
    order_id = fields.Many2one(
        "amazon.order",
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
        "res.company", required=True, readonly=True, ondelete="restrict"
    )
    marketplace = fields.Selection(marketplace_selection, readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    amount = fields.Monetary(readonly=True)
    line_ids = fields.One2many("amazon.action.line", "action_id", readonly=True)
    reason = fields.Char(
        readonly=True, help="Amazon's code of the reason that was given."
    )
    note = fields.Text(
        readonly=True,
        help="What the person who asked wrote down.",
        groups="amazon_helpdesk_actions.group_refund,"
        "amazon_helpdesk_actions.group_cancel,"
        "amazon_helpdesk_actions.group_journal",
    )
    user_id = fields.Many2one(
        "res.users", "Asked by", required=True, readonly=True, ondelete="restrict"
    )
    asked_at = fields.Datetime(required=True, readonly=True)
    due_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="Not sent before: until then it can surely be taken back.",
    )
    urgent_from = fields.Datetime(
        readonly=True, copy=False, help="From then on it is sent before the others."
    )
    ticket_id = fields.Many2one(
        "helpdesk.ticket",
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
        check_company=True,
    )
    sale_order_id = fields.Many2one(
        "sale.order",
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
        check_company=True,
    )
    nonce = fields.Char(
        required=True,
        readonly=True,
        copy=False,
        help="Made when the dialog opened, so that one dialog asks only once.",
    )
    feed_id = fields.Many2one(
        "amazon.feed",
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
        copy=False,
    )
    message_number = fields.Integer(
        readonly=True, copy=False, help="Number of its message in the feed."
    )
    feed_ref = fields.Char(related="feed_id.feed_ref", string="Amazon Feed")
    submitted_at = fields.Datetime(readonly=True, copy=False)
    accepted_at = fields.Datetime(readonly=True, copy=False)
    confirmed_at = fields.Datetime(readonly=True, copy=False)
    amazon_code = fields.Char("Amazon's Code", readonly=True, copy=False)
    amazon_text = fields.Text("Amazon's Text", readonly=True, copy=False)

    _nonce_uniq = models.Constraint(
        "unique(nonce)", "This was asked for already, from the same dialog."
    )
    # What a dispatcher looks for: few rows, however many actions there have been.
    _queued_idx = models.Index(
        "(account_id, marketplace, kind, id) WHERE state = 'queued'"
    )

    # === CRUD METHODS === #

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(
            self.env._("What was asked of Amazon stays on record; it is not deleted.")
        )

    # === ACTION METHODS === #

    def action_withdraw(self):
        """Take queued actions back, before anything is sent.

        :raise UserError: when one of them is not queued any more
        """
        for action in self:
            action.check_access("read")
            action._kind()._check_right()
            action_sudo = action.sudo()
            try:
                action_sudo.lock_for_update(allow_referencing=True)
            except LockError:
                raise UserError(
                    self.env._(
                        "%(action)s is being made ready for Amazon at this moment. "
                        "Look at it again in a minute.",
                        action=action.name,
                    )
                ) from None
            action_sudo.invalidate_recordset(["state"])
            if not action_sudo._set_withdrawn():
                raise UserError(
                    self.env._(
                        "%(action)s is not queued any more, so it cannot be withdrawn.",
                        action=action.name,
                    )
                )
        return True

    # === BUSINESS METHODS - ASKING === #

    @api.model
    def _ask(self, kind, order, nonce, origin, reason, amounts=None, note=False):
        """Ask for an action, from the current user. Nothing is sent here.

        Checks again all that the dialog has shown, with the order taken for this
        transaction: the dialog may be old, and this can be reached without it.

        :param str kind: the kind of action
        :param amazon.order order: the order to act on
        :param str nonce: made when the dialog opened; the same nonce is one action
        :param origin: the ticket or sale order that it is asked from
        :param str reason: Amazon's code of the reason
        :param dict amounts: amount for each ``amazon.order.charge``, in the order's
            currency
        :param str note: free text; in the assisted way, what was done
        :return: the action, the earlier one where the nonce is known
        :rtype: amazon.action
        :raise AccessError: when the user may not ask for this kind
        :raise UserError: when it is not possible, with the sentence that says why
        """
        handler = self.env[f"amazon.action.kind.{kind}"]
        handler._check_right()
        origin.check_access("read")
        order.check_access("read")
        if origin.sudo().amazon_order_id != order:
            raise UserError(
                self.env._(
                    "%(document)s is not about the Amazon order %(order)s. Open it "
                    "again and ask from there.",
                    document=origin.display_name,
                    order=order.amazon_order_ref,
                )
            )
        order_sudo = order.sudo()
        order_sudo._take()
        asked = self.sudo().search([("nonce", "=", nonce)])
        if asked:
            return asked.with_env(self.env)
        handler._check_possible(order_sudo, amounts or {})
        assisted = handler._is_assisted(order_sudo)
        now = fields.Datetime.now()
        action_sudo = self.sudo().create(
            {
                "name": self.env["ir.sequence"].sudo().next_by_code("amazon.action"),
                "kind": kind,
                "state": "assisted" if assisted else "queued",
                "last_state_change": now,
                "order_id": order_sudo.id,
                "account_id": order_sudo.account_id.id,
                "company_id": order_sudo.company_id.id,
                "marketplace": order_sudo.marketplace,
                "currency_id": order_sudo.currency_id.id,
                "amount": sum((amounts or {}).values()),
                "reason": reason,
                "note": note,
                "user_id": self.env.uid,
                "asked_at": now,
                "ticket_id": origin.id if origin._name == "helpdesk.ticket" else False,
                "sale_order_id": origin.id if origin._name == "sale.order" else False,
                "nonce": nonce,
                "line_ids": [
                    Command.create({"charge_id": charge.id, "amount": amount})
                    for charge, amount in (amounts or {}).items()
                ],
            }
        )
        action_sudo.state_message = action_sudo._sentence()
        action_sudo._journal(
            "recorded" if assisted else "asked", state_to=action_sudo.state
        )
        action_sudo._post_sentence(note)
        if assisted:
            action_sudo._enqueue_confirm()
        else:
            action_sudo._enqueue_dispatch()
        order_sudo._notify_forms()
        return action_sudo.with_env(self.env)

    def _kind(self):
        """Return the model that knows this action's kind."""
        return self.env[f"amazon.action.kind.{self.kind}"]

    # === BUSINESS METHODS - STATES === #

    def _set_sending(self):
        """The one call that cannot be repeated may leave from now on."""
        return self._update_state("sending")

    def _set_back_to_queued(self, reason):
        """It is proven that Amazon got nothing; it will be sent again."""
        return self._update_state(
            "queued", reason, {"feed_id": False, "message_number": 0}
        )

    def _set_submitted(self):
        """Amazon has taken the feed."""
        return self._update_state(
            "submitted", vals={"submitted_at": fields.Datetime.now()}
        )

    def _set_unknown(self, reason):
        """Nobody can say whether Amazon has executed it. It is never sent again."""
        return self._update_state("unknown", reason)

    def _set_accepted(self, code=None, text=None):
        """Amazon's report covers it and lists no error for it."""
        return self._update_state(
            "accepted",
            vals={
                "accepted_at": fields.Datetime.now(),
                "amazon_code": code,
                "amazon_text": text,
            },
        )

    def _set_rejected(self, code, text):
        """Amazon did not do it, with Amazon's own code and text."""
        return self._update_state(
            "rejected", vals={"amazon_code": code, "amazon_text": text}
        )

    def _set_confirmed(self):
        """Amazon's own data shows it."""
        return self._update_state(
            "confirmed", vals={"confirmed_at": fields.Datetime.now()}
        )

    def _set_blocked(self, reason):
        """It did not happen and will not: nothing was executed at Amazon."""
        return self._update_state("blocked", reason)

    def _set_withdrawn(self):
        """Somebody took it back while nothing had been sent."""
        return self._update_state("withdrawn")

    def _set_assisted(self, reason):
        """A person saw in Seller Central that it is done."""
        return self._update_state("assisted", reason)

    def _update_state(self, target, reason=None, vals=None):
        """Move those actions to ``target`` that may go there; the only way to move.

        News that come twice change nothing. Illegal news change nothing and are
        logged, since a crash here would hide the news that matter.

        :param str target: the new state
        :param str reason: the sentence to show, instead of the kind's own
        :param dict vals: further values to write
        :return: the actions that moved
        :rtype: amazon.action
        """
        moved = self.browse()
        for action in self:
            source = action.state
            if source == target or target in SURPASSED.get(source, ()):
                _logger.info("%s is %s already, not %s", action.name, source, target)
                continue
            if source not in ACTION_TRANSITIONS[target]:
                _logger.warning(
                    "%s: refused to go from %s to %s", action.name, source, target
                )
                continue
            action.write(
                {
                    **(vals or {}),
                    "state": target,
                    "last_state_change": fields.Datetime.now(),
                }
            )
            action.state_message = reason or action._sentence()
            action._journal("state", state_from=source, state_to=target)
            moved |= action
        moved._post_sentence()
        moved.order_id._notify_forms()
        return moved

    # === BUSINESS METHODS - SENDING === #

    def _enqueue_dispatch(self):
        """Enqueue a dispatch of every lane that these actions wait in."""
        lanes = {
            Lane(action.account_id.id, action.marketplace, action._kind()._feed_type)
            for action in self
        }
        for lane in lanes:
            self.env["amazon.feed"]._enqueue_dispatch(lane)

    # === BUSINESS METHODS - CONFIRMING === #

    def _enqueue_confirm(self):
        """Look later for the outcome in Amazon's own data: after half of the time
        that has passed, within bounds."""
        now = fields.Datetime.now()
        for action in self:
            age = (now - action.last_state_change).total_seconds()
            wait = min(max(age / 2, CONFIRM_MIN_SECONDS), CONFIRM_MAX_SECONDS)
            in_background(action, action.company_id).with_delay(
                priority=15,
                eta=now + timedelta(seconds=wait),
                max_retries=0,
                description=f"Look for the outcome of {action.name} at Amazon",
            )._job_confirm()

    def _job_confirm(self):
        """Look for the outcome in Amazon's own data. Job; comes again by itself."""
        self.ensure_one()
        if self.state not in ACTION_TRANSITIONS["confirmed"]:
            return
        self.order_id._read_from_amazon()
        if self.state == "confirmed":
            return
        self.order_id._notify_forms()
        age = fields.Datetime.now() - self.last_state_change
        if age < timedelta(days=CONFIRM_ALERT_DAYS):
            self._enqueue_confirm()
        else:
            self._post(
                self.env._(
                    "%(action)s: Amazon's own data has not shown it within %(days)s "
                    "days. Check the order in Seller Central.",
                    action=self.name,
                    days=CONFIRM_ALERT_DAYS,
                )
            )

    # === GETTERS === #

    def _panel_data(self):
        """Return what the panel in a form shows of this action.

        :rtype: dict
        """
        self.ensure_one()
        action = self.sudo()
        labels = {
            name: dict(action._fields[name]._description_selection(self.env))
            for name in ("kind", "state")
        }
        return {
            "id": action.id,
            "name": action.name,
            "kind_label": labels["kind"][action.kind],
            "state": action.state,
            "state_label": labels["state"][action.state],
            "message": action.state_message,
            "since": fields.Datetime.to_string(action.last_state_change),
            "amount": action.amount and action.currency_id.format(action.amount),
            "can_withdraw": action.state == "queued"
            and self.env.user.has_group(action._kind()._group),
        }

    # === LOGGING HELPERS === #

    def _sentence(self):
        """What is known, in one sentence for a person."""
        return self._kind()._sentence(self, self.state)

    def _journal(self, event, **vals):
        """Append to the journal what has just happened to these actions."""
        self.env["amazon.audit.entry"]._append(
            [action._prepare_journal_entry(event, **vals) for action in self]
        )

    def _prepare_journal_entry(self, event, **vals):
        origin = self._get_origin()
        return {
            "event": event,
            "company_id": self.company_id.id,
            "account_id": self.account_id.id,
            "amazon_order_ref": self.order_id.amazon_order_ref,
            "action_id": self.id,
            "action_kind": self.kind,
            "origin_model": origin._name,
            "origin_id": origin.id,
            # its number alone: the title of a ticket is what a buyer wrote
            "origin_name": origin[origin._rec_name],
            "amount": self.amount,
            "currency_id": self.currency_id.id,
            "message": self.state_message,
            "feed_ref": self.feed_id.feed_ref,
            "payload_digest": self.feed_id.payload_digest,
            "answer_digest": self.feed_id.report_digest,
            **vals,
        }

    def _get_origin(self):
        """Return the ticket or the sale order that it was asked from."""
        return self.ticket_id or self.sale_order_id

    def _post_sentence(self, note=False):
        """Post what is known now; nothing while the call is on its way.

        :param str note: what the person who asked wrote down
        """
        for action in self:
            if action.state != "sending":
                action._post(
                    self.env._(
                        "%(action)s: %(sentence)s",
                        action=action.name,
                        sentence=action.state_message,
                    ),
                    note,
                )

    def _post(self, sentence, note=False):
        """Post a note on the tickets and sale orders of the Amazon order.

        By whoever works: the person who clicked, or OdooBot in a job.
        """
        body = Markup("<p>%s</p>") % sentence
        if note:
            body += Markup("<p>%s</p>") % note
        for document in self._documents():
            try:
                with self.env.cr.savepoint():
                    document.message_post(
                        body=body,
                        message_type="notification",
                        subtype_xmlid="mail.mt_note",
                    )
            except OperationalError:
                raise
            except Exception:
                # State and journal are the record; what other code does with a note
                # must not undo them.
                _logger.exception("%s: no note on %s", self.name, document)

    def _documents(self):
        """Return the tickets and sale orders to tell: where it was asked from first,
        then the sale orders of the same Amazon order."""
        sale_orders = self.sale_order_id | self.env["sale.order"].search(
            [("amazon_order_id", "=", self.order_id.id)]
        )
        return [*self.ticket_id, *sale_orders]
