import logging
from typing import NamedTuple

from psycopg2 import OperationalError

from odoo import api, fields, models

from ..base.groups import ADMIN

_logger = logging.getLogger(__name__)

# The turn of a check: what puts right what the others go by comes first; last comes
# what asks whether any of the others has found why.
FIRST, USUAL, LAST = range(3)


class Check(NamedTuple):
    """A kind of trouble that the watch looks for, by the alarms' `_find_<kind>`.

    That takes the company's accounts and returns a list of `Finding`.

    :param str kind: the kind of alarm that it raises
    :param bool is_mended: whether the check mends it by itself: people are told only
        where it is still so at the next look
    :param bool on_panel: whether it concerns everybody who is about to ask for
        something, on whatever order
    :param bool explains_waiting: whether it is why actions of its account wait
    :param int turn: when it is looked for, before or after the others
    """

    kind: str
    is_mended: bool = False
    on_panel: bool = False
    explains_waiting: bool = False
    turn: int = USUAL


class Finding(NamedTuple):
    """What a check found for one account, or for the whole company where empty."""

    account: models.BaseModel
    count: int
    message: str
    since: object = None


def tally(numbers, key, count, since):
    """Add a count to those of a key, and keep the oldest time."""
    former = numbers.get(key, (0, since))
    numbers[key] = (former[0] + count, min(former[1], since))


class AmazonAlarm(models.Model):
    """Something that nobody moves by itself, or not as soon as usual.

    Raised and ended by the watch (watch.py), never by hand. The administrators are told
    once: by an activity that ends with the alarm, and by one message.
    """

    _name = "amazon.alarm"
    _description = "Amazon Alarm"
    _inherit = ["amazon.own.defaults", "mail.thread", "mail.activity.mixin"]
    _order = "id desc"
    _mail_post_access = "read"

    company_id = fields.Many2one("res.company", required=True, readonly=True)
    account_id = fields.Many2one(
        "amazon.seller.account",
        readonly=True,
        ondelete="cascade",
        index="btree_not_null",
        help="Empty where it concerns all accounts of the company.",
    )
    # Each room adds what it looks for (`_checks`).
    kind = fields.Selection([], required=True, readonly=True)
    state = fields.Selection(
        [("open", "Open"), ("over", "Over")],
        required=True,
        readonly=True,
        default="open",
    )
    since = fields.Datetime(required=True, readonly=True)
    last_seen = fields.Datetime(required=True, readonly=True)
    count = fields.Integer(readonly=True, help="Things concerned, as last seen.")
    message = fields.Text(required=True, readonly=True)
    is_told = fields.Boolean(
        "Told", readonly=True, help="Whether the administrators were told."
    )

    _open_uniq = models.UniqueIndex(
        "(company_id, COALESCE(account_id, 0), kind) WHERE state = 'open'",
        "There is one open alarm of a kind for each account.",
    )

    # === COMPUTE METHODS === #

    @api.depends("kind", "account_id")
    @api.depends_context("lang")
    def _compute_display_name(self):
        labels = dict(self._fields["kind"]._description_selection(self.env))
        for alarm in self:
            name = labels.get(alarm.kind, "")
            account_name = alarm.account_id.sudo().name
            alarm.display_name = f"{account_name}: {name}" if account_name else name

    # === BUSINESS METHODS === #

    @api.model
    def _checks(self):
        """Hook: return what the watch looks for. Each room and each addon adds its own
        kinds of trouble, with their labels (`kind`) and a method for each, which is
        named `_find_<kind>`.

        :rtype: list[Check]
        """
        return []

    @api.model
    def _panel_kinds(self):
        """Return the kinds that concern everybody who is about to ask for something."""
        return [check.kind for check in self._checks() if check.on_panel]

    @api.model
    def _report(self, kind, findings):
        """Open, renew and end the alarms of a kind in the current company.

        :param str kind: the kind of alarm
        :param list[Finding] findings: all that is so now
        """
        alarms = self.search(
            [
                ("company_id", "=", self.env.company.id),
                ("kind", "=", kind),
                ("state", "=", "open"),
            ]
        )
        by_account = {alarm.account_id.id: alarm for alarm in alarms}
        for finding in findings:
            alarm = by_account.pop(finding.account.id, None)
            if alarm:
                alarm._renew(finding)
            else:
                self._open(kind, finding)
        for alarm in by_account.values():
            alarm._end()

    def _open(self, kind, finding):
        now = fields.Datetime.now()
        alarm = self.create(
            {
                "company_id": self.env.company.id,
                "account_id": finding.account.id,
                "kind": kind,
                "since": finding.since or now,
                "last_seen": now,
                "count": finding.count,
                "message": finding.message,
            }
        )
        alarm._journal(False, "open")
        if kind not in [check.kind for check in self._checks() if check.is_mended]:
            alarm._tell()

    def _renew(self, finding):
        self.write(
            {
                "last_seen": fields.Datetime.now(),
                "count": finding.count,
                "message": finding.message,
            }
        )
        if not self.is_told:
            self._tell()

    def _end(self):
        self.state = "over"
        self._journal("open", "over")
        self._try_to_tell(
            lambda: self.activity_feedback(
                ["amazon_order_actions.mail_activity_type_alarm"],
                feedback=self.env._("It is over."),
            )
        )

    def _journal(self, state_from, state_to):
        self.env["amazon.audit.entry"]._append(
            [
                {
                    "event": "alarm",
                    "company_id": self.company_id.id,
                    "account_id": self.account_id.id,
                    "state_from": state_from,
                    "state_to": state_to,
                    "message": f"{self.display_name}. {self.message}",
                }
            ]
        )

    def _try_to_tell(self, method):
        """Tell people; where that fails, the alarm stays as it is, and so does every
        other.

        :param method: function without arguments
        :return: whether it worked
        :rtype: bool
        """
        try:
            with self.env.cr.savepoint():
                method()
        except OperationalError:
            raise
        except Exception:
            _logger.exception("%s could not be told", self)
            return False
        return True

    def _tell(self):
        """Tell the administrators, now or at the next look that finds it."""
        self.is_told = self._try_to_tell(self._tell_administrators)

    def _tell_administrators(self):
        """Tell the administrators of the company: an activity for each, and one message
        that reaches them as each prefers (inbox or mail)."""
        users = self._administrators()
        for user in users:
            # without the mail that Odoo sends of every activity: one is enough
            self.with_context(mail_activity_quick_update=True).activity_schedule(
                "amazon_order_actions.mail_activity_type_alarm",
                summary=self.display_name,
                user_id=user.id,
            )
        self.message_post(
            subject=self.env._("Amazon: %s", self.display_name),
            body=self.message,
            partner_ids=users.partner_id.ids,
            subtype_xmlid="mail.mt_note",
        )

    def _administrators(self):
        return self.env.ref(ADMIN).all_user_ids.filtered(
            lambda user: user.active and self.company_id in user.company_ids
        )
