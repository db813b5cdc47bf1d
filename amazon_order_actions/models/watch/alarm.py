from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.tools import plaintext2html

from ..base.groups import ADMIN, JOURNAL
from ..base.private_log import private_logger

_logger = private_logger(__name__)


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
    kind = fields.Selection(
        selection=lambda self: list(self.env["amazon.check"]._labels().items()),
        required=True,
        readonly=True,
        help="What was looked for (amazon.check).",
    )
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
    panel_message = fields.Text(
        readonly=True,
        help="What whoever waits for it reads instead: the message is for "
        "administrators.",
    )
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
        labels = self.env["amazon.check"]._labels()
        for alarm in self:
            name = labels.get(alarm.kind, "")
            account_name = alarm.account_id.sudo().name
            alarm.display_name = f"{account_name}: {name}" if account_name else name

    # === BUSINESS METHODS === #

    def action_try_again(self):
        """Have all tried again that these alarms are about, as an administrator.

        :raise AccessError: when the user does not administer the company
        """
        self.check_access("read")
        self.env["amazon.set.aside"]._check_administers(self.sudo().company_id)
        checks_sudo = self.env["amazon.check"].sudo()._all()
        for alarm_sudo in self.sudo():
            if alarm_sudo.kind in checks_sudo:
                of_kind_sudo, _check = checks_sudo[alarm_sudo.kind]
                of_kind_sudo._try_again(alarm_sudo.kind, alarm_sudo.account_id)
        return True

    @api.model
    def _panel_kinds(self):
        """Return the kinds that concern everybody who is about to ask for something."""
        return self.env["amazon.check"]._kinds_that("on_panel")

    def _panel_sentence(self):
        """Return what the panel says of this alarm to everybody who waits.

        :rtype: str
        """
        self.ensure_one()
        if not self.panel_message:
            return self.message
        told = (
            self.env._("An administrator has been told.")
            if self.is_told
            else self.env._("Tell an administrator.")
        )
        return f"{self.panel_message} {told}"

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
                "panel_message": finding.panel,
            }
        )
        alarm._note_move(False, "open")
        if kind not in self.env["amazon.check"]._kinds_that("is_mended"):
            alarm._tell()
        alarm._show_on_panels()

    def _renew(self, finding):
        self.write(
            {
                "last_seen": fields.Datetime.now(),
                "count": finding.count,
                "message": finding.message,
                "panel_message": finding.panel,
            }
        )
        if not self.is_told:
            self._tell()

    def _end(self):
        self.state = "over"
        self._note_move("open", "over")
        self._try_to_tell(
            lambda: self.activity_feedback(
                ["amazon_order_actions.mail_activity_type_alarm"],
                feedback=self.env._("It is over."),
            )
        )
        self._show_on_panels()

    def _show_on_panels(self):
        """Let the panels that are open show it, or show it no more."""
        if self.kind in self._panel_kinds():
            self._try_to_tell(self._notify_panels)

    def _notify_panels(self):
        for check in self.env["amazon.check"]._registered():
            check._notify_panels(self)

    def _note_move(self, state_from, state_to):
        for follower in self.env["amazon.alarm.follower"]._all():
            follower._follow(self, state_from, state_to)

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
        """Tell the administrators, now or at the next look that finds it: also where
        there was none at first."""
        users = self._administrators()
        self.is_told = bool(users) and self._try_to_tell(
            lambda: self._tell_administrators(users)
        )

    def _tell_administrators(self, users):
        """Tell the administrators of the company: an activity for each, and one message
        that reaches them as each prefers (inbox or mail).

        :param res.users users: whom
        """
        for user in users:
            # without the mail that Odoo sends of every activity: one is enough
            self.with_context(mail_activity_quick_update=True).activity_schedule(
                "amazon_order_actions.mail_activity_type_alarm",
                summary=self.display_name,
                user_id=user.id,
            )
        self.message_post(
            subject=self.env._("Amazon: %s", self.display_name),
            # with its lines, where it has lines to be copied
            body=plaintext2html(self.message),
            partner_ids=users.partner_id.ids,
            subtype_xmlid="mail.mt_note",
        )

    def _administrators(self):
        """Return whom this alarm is told: the administrators of its company, and its
        auditors where who administers must not be the only one to hear of it.

        :rtype: res.users
        """
        users = self.env.ref(ADMIN).all_user_ids
        if self.kind in self.env["amazon.check"]._kinds_that("tells_auditors"):
            users |= self.env.ref(JOURNAL).all_user_ids
        return users.filtered(
            lambda user: user.active and self.company_id in user.company_ids
        )
