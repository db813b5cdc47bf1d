from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import LazyTranslate, format_datetime

from ..action.finders import STALLED_AFTER, waiting
from ..action.states import BEFORE_SENDING
from ..base.clock import database_now, latest_credible
from ..base.groups import ADMIN
from ..watch.check import Check, Finding

_lt = LazyTranslate(__name__)

# A reason is kept for ever: it stands in the journal, too.
REASON_SIZE = 500
REASON_HELP = (
    "Shown to everybody who waits for it, and kept in the journal for ever. Do not "
    "name buyers."
)


def kind_selection(model):
    """The kinds of action as the options of a selection field."""
    return model.env["amazon.action"]._fields["kind"]._description_selection(model.env)


class AmazonStop(models.Model):
    """Something that is not sent to Amazon until an administrator resumes it.

    An open row (``ended_at`` is empty) stops what it names: one kind of action or all,
    of one account or of all accounts of the company. It takes effect at once, also for
    what is queued: it is looked for before each sending, and once more right before the
    call that cannot be repeated. What is stopped stays queued, and goes on when the
    stop ends. Reading goes on, and so does taking back what Amazon has (cancelFeed).
    """

    _name = "amazon.stop"
    _inherit = "amazon.own.defaults"
    _description = "Stop of Sending to Amazon"
    _order = "id desc"
    _check_company_auto = True
    _keeps_account = True

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="restrict", index=True
    )
    account_id = fields.Many2one(
        "amazon.seller.account",
        readonly=True,
        ondelete="restrict",
        check_company=True,
        index="btree_not_null",
        help="Empty: all accounts of the company.",
    )
    kind = fields.Selection(
        kind_selection, readonly=True, help="Empty: all kinds of action."
    )
    reason = fields.Char(
        required=True, readonly=True, size=REASON_SIZE, help=REASON_HELP
    )
    started_at = fields.Datetime("Since", required=True, readonly=True)
    user_id = fields.Many2one(
        "res.users",
        "Administrator",
        readonly=True,
        ondelete="restrict",
        help="Empty: the program.",
    )
    author = fields.Char("Stopped By", compute="_compute_author", compute_sudo=True)
    is_automatic = fields.Boolean(
        "By the Circuit Breaker",
        readonly=True,
        help="The maximum of money per hour of the account was reached.",
    )
    life_id = fields.Many2one(
        "amazon.life",
        "Life of the Database",
        readonly=True,
        ondelete="restrict",
        help="The database was found to be restored, copied or moved; an administrator "
        "decides which.",
    )
    ended_at = fields.Datetime("Resumed", readonly=True)
    ended_by_id = fields.Many2one(
        "res.users", "Resumed by", readonly=True, ondelete="restrict"
    )
    end_reason = fields.Char("Reason to Resume", readonly=True, size=REASON_SIZE)

    # What each sending looks through: few rows, however many stops there have been.
    _open_uniq = models.UniqueIndex(
        "(company_id, COALESCE(account_id, 0), COALESCE(kind, ''), "
        "(life_id IS NOT NULL)) WHERE ended_at IS NULL",
        "This is stopped already.",
    )

    # === COMPUTE METHODS === #

    @api.depends("company_id", "account_id", "kind")
    @api.depends_context("lang")
    def _compute_display_name(self):
        kinds = dict(kind_selection(self))
        for stop in self:
            place = stop.account_id or stop.company_id
            kind = kinds[stop.kind] if stop.kind else self.env._("everything")
            stop.display_name = f"{place.sudo().name}: {kind}"

    @api.depends("user_id", "is_automatic")
    @api.depends_context("lang")
    def _compute_author(self):
        for stop in self:
            if stop.is_automatic:
                stop.author = self.env._("the circuit breaker")
            else:
                stop.author = stop.user_id.name or self.env._("the program")

    # === CRUD METHODS === #

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(
            self.env._("What was stopped stays on record; it is not deleted.")
        )

    # === ACTION METHODS === #

    def action_resume(self):
        """Open the dialog that ends these stops. Changes nothing.

        :raise AccessError: when the user does not administer their companies
        :raise UserError: when all of them have ended
        """
        self.check_access("read")
        self._check_admin(self.company_id)
        stops = self.filtered(lambda stop: not stop.ended_at)
        if not stops:
            raise UserError(self.env._("This is not stopped any more."))
        request = self.env["amazon.stop.end.request"].create({"stop_ids": stops.ids})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Resume"),
            "res_model": request._name,
            "res_id": request.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }

    # === BUSINESS METHODS === #

    @api.model
    def _start(self, company, reason, account=None, kind=False):
        """Stop something for the current user, an administrator of the company.

        :param res.company company: what is stopped belongs to it
        :param str reason: why, at most 500 characters
        :param amazon.seller.account account: all of the company where None
        :param str kind: kind of action, all where False
        :return: the stop
        :rtype: amazon.stop
        :raise AccessError: when the user does not administer the company
        :raise UserError: when there is no reason, or it is stopped already
        """
        self._check_admin(company | (account.sudo().company_id if account else company))
        reason = self._check_reason(reason)
        stop = self._find_open(company, account, kind)
        if stop:
            raise UserError(stop._sentence())
        return self._open(company, reason, account, kind)

    @api.model
    def _start_everything(self, companies, reason):
        """Stop everything of several companies; what is stopped already stays so.

        :param res.company companies: companies that the user administers
        :param str reason: why
        :raise AccessError: when the user does not administer one of them
        """
        self._check_admin(companies)
        reason = self._check_reason(reason)
        for company in companies:
            if not self._find_open(company):
                self._open(company, reason)

    def _end(self, reason):
        """End stops for the current user, and send what has waited for that.

        :param str reason: why it may go on
        :raise AccessError: when the user does not administer their companies
        :raise UserError: when there is no reason
        """
        stops_sudo = self.sudo().filtered(lambda stop: not stop.ended_at)
        self._check_admin(stops_sudo.company_id)
        stops_sudo._check_no_life()
        reason = self._check_reason(reason)
        stops_sudo._finish(reason)

    def _check_no_life(self):
        """Refuse to resume what needs a decision.

        :raise UserError: where the database was found to be restored, copied or moved
        """
        of_life = self.filtered("life_id")
        if of_life:
            raise UserError(
                self.env._(
                    "%s To go on, open the account and choose Decide: say whether this "
                    "database was moved, restored, or is a copy.",
                    of_life[0]._sentence(),
                )
            )

    def _finish(self, reason):
        """End stops, by whoever works, and send what has waited for that.

        :param str reason: why it may go on
        """
        stops_sudo = self.sudo()
        stops_sudo.write(
            {
                "ended_at": database_now(self.env),
                "ended_by_id": self.env.uid,
                "end_reason": reason,
            }
        )
        stops_sudo._journal("stopped", "resumed", reason)
        accounts_sudo = self.env["amazon.seller.account"].sudo()
        for stop in stops_sudo:
            of_stop = stop.account_id or accounts_sudo.search(
                [("company_id", "=", stop.company_id.id)]
            )
            of_stop._resume_sending(stop.kind)

    def _check_admin(self, companies):
        """Refuse users who do not administer the companies.

        Asked of the real user also in sudo mode, so that no caller's sudo opens it.
        """
        user = self.env.user
        if user.id == SUPERUSER_ID:
            return
        if not user.has_group(ADMIN) or companies - user.sudo().company_ids:
            raise AccessError(
                self.env._(
                    "Only an Amazon administrator of the company may stop or resume "
                    "sending to Amazon."
                )
            )

    def _check_reason(self, reason):
        reason = (reason or "").strip()
        if not reason:
            raise UserError(self.env._("Say why: the others will ask."))
        return reason[:REASON_SIZE]

    def _find_open(self, company, account=None, kind=False):
        """Return the open stop of exactly this, or an empty recordset."""
        return self.sudo().search(
            [
                ("ended_at", "=", False),
                ("company_id", "=", company.id),
                ("account_id", "=", account.id if account else False),
                ("kind", "=", kind),
                ("life_id", "=", False),
            ]
        )

    @api.model
    def _open_for_life(self, account, reason, life):
        """Stop an account since the database was found to be restored, copied or moved;
        an earlier stop of that sort gives way to this one.

        :param amazon.seller.account account: the account
        :param str reason: what was found
        :param amazon.life life: the life that begins by that
        """
        former = self.search(
            [
                ("account_id", "=", account.id),
                ("life_id", "!=", False),
                ("ended_at", "=", False),
            ]
        )
        former.write(
            {
                "ended_at": database_now(self.env),
                "end_reason": self.env._("Found again before anybody had decided."),
            }
        )
        former._journal("stopped", "resumed", former[:1].end_reason)
        former.flush_recordset()
        self._open(account.company_id, reason, account, life=life)
        # What waits now was asked for before, whatever clock says otherwise.
        self.env["amazon.action"].search(
            [
                ("account_id", "=", account.id),
                ("state", "in", BEFORE_SENDING),
                ("asked_at", ">", life.began_at),
            ]
        ).asked_at = life.began_at
        account._note_life(life.began_at)

    def _open(
        self, company, reason, account=None, kind=False, is_automatic=False, life=None
    ):
        # sudo: nobody has the right to create a stop by hand; the callers have checked
        stop = self.sudo().create(
            {
                "company_id": company.id,
                "account_id": account.id if account else False,
                "kind": kind,
                "reason": reason[:REASON_SIZE],
                "started_at": database_now(self.env),
                "user_id": False if is_automatic or life else self.env.uid,
                "life_id": life.id if life else False,
                "is_automatic": is_automatic,
            }
        )
        stop._journal(False, "stopped", reason)
        return stop.with_env(self.env)

    def _journal(self, state_from, state_to, reason):
        self.env["amazon.audit.entry"]._append(
            [
                {
                    "event": "stop",
                    "company_id": stop.company_id.id,
                    "account_id": stop.account_id.id,
                    "action_kind": stop.kind,
                    "state_from": state_from,
                    "state_to": state_to,
                    "message": f"{stop.display_name}. {reason}",
                }
                for stop in self
            ]
        )

    # === GETTERS === #

    def _sentence(self):
        """Say what is stopped, since when, by whom and why."""
        stop = self.sudo()
        return self.env._(
            "Sending to Amazon is stopped (%(what)s) since %(since)s by %(user)s: "
            "“%(reason)s”.",
            what=stop.display_name,
            since=stop._since(),
            user=stop.author,
            reason=stop.reason.rstrip("."),
        )

    def _since(self):
        # a job has no time zone, and says so
        zone = str(self.env.tz)
        moment = format_datetime(self.env, self.started_at, dt_format="short")
        return f"{moment} UTC" if zone == "UTC" else moment

    def _sentences(self):
        return "\n".join(stop._sentence() for stop in self)

    @api.model
    def _mend_future(self, account_ids, limit):
        """It has ended by now, and the circuit breaker counts from now on."""
        now = database_now(self.env)
        accounts = self.env["amazon.seller.account"].browse(account_ids)
        stops = self.search(
            [
                ("company_id", "in", accounts.company_id.ids),
                ("ended_at", ">", latest_credible(now)),
            ],
            limit=limit,
        )
        stops.ended_at = now
        return len(stops)


class AmazonSellerAccount(models.Model):
    _inherit = "amazon.seller.account"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    is_stopped = fields.Boolean(
        "Stopped",
        compute="_compute_stop_message",
        search="_search_is_stopped",
        compute_sudo=True,
        help="Something is not sent to Amazon for this account, until an administrator "
        "resumes it. What is queued stays queued, and can be taken back.",
    )
    stop_message = fields.Text(
        "Stops", compute="_compute_stop_message", compute_sudo=True
    )

    # === COMPUTE METHODS === #

    @api.depends("company_id")
    @api.depends_context("lang", "tz")
    def _compute_stop_message(self):
        stops = self._open_stops()
        for account in self:
            of_account = account._stops_among(stops)
            account.is_stopped = bool(of_account)
            account.stop_message = of_account._sentences()

    def _search_is_stopped(self, operator, value):
        if operator != "in":
            return NotImplemented
        stops = self.env["amazon.stop"].sudo().search([("ended_at", "=", False)])
        of_companies = stops.filtered(lambda stop: not stop.account_id).company_id
        return Domain("id", "in", stops.account_id.ids) | Domain(
            "company_id", "in", of_companies.ids
        )

    # === ACTION METHODS === #

    def action_resume(self):
        """Open the dialog that ends the stops of this account; those of the whole
        company where it has none of its own. Changes nothing."""
        self.ensure_one()
        self.check_access("read")
        stops = self._open_stops().with_env(self.env)
        of_life = stops.filtered("life_id")
        if of_life and of_life == stops.filtered("account_id"):
            return of_life[0].action_decide()
        stops -= of_life
        return (stops.filtered("account_id") or stops).action_resume()

    # === BUSINESS METHODS === #

    def _stop(self, reason, kind=False):
        """Stop sending for this account, for the current user; see `amazon.stop`.

        :param str reason: why
        :param str kind: kind of action, all where False
        """
        self.ensure_one()
        company = self.sudo().company_id
        return self.env["amazon.stop"]._start(company, reason, self, kind)

    def _resume(self, reason):
        """End the stops of this account alone, for the current user.

        :param str reason: why it may go on
        """
        stops = self._open_stops().filtered("account_id")
        stops.with_env(self.env)._end(reason)

    def _may_send(self, kind=None):
        """Whether actions of this account may leave, by what is committed by now.

        :param str kind: kind of action; None asks whether any may
        """
        return self.active and not self._stops_of(kind)

    def _stops_of(self, kind=None):
        """Return the open stops that hold a kind of action, or those that hold all.

        :param str kind: kind of action
        :rtype: amazon.stop
        """
        self.ensure_one()
        return self._open_stops().filtered(
            lambda stop: not stop.kind or stop.kind == kind
        )

    def _not_sent_sentence(self, kind):
        """Say why actions of a kind wait again that were about to be sent.

        :param str kind: kind of action
        """
        stops = self._stops_of(kind)
        if stops:
            return self.env._(
                "Nothing was sent. %(stops)s It waits until an administrator resumes "
                "it.",
                stops=stops._sentences(),
            )
        problem = self.env["amazon.life"]._problem()
        if problem:
            return problem
        return self.env._(
            "Not sent yet: Amazon could not take it at the moment. It is tried again "
            "by itself."
        )

    def _open_stops(self):
        """Return the open stops that concern these accounts, asked of the database each
        time, in sudo mode.

        :rtype: amazon.stop
        """
        stops_sudo = self.env["amazon.stop"].sudo()
        return stops_sudo.search_fetch(
            Domain("ended_at", "=", False)
            & (
                Domain("account_id", "in", self.ids)
                | Domain("account_id", "=", False)
                & Domain("company_id", "in", self.sudo().company_id.ids)
            ),
            ["company_id", "account_id", "kind", "is_automatic", "life_id", "decision"],
        )

    def _stops_among(self, stops):
        """Return those of the stops that concern this account."""
        company = self.sudo().company_id
        return stops.filtered(
            lambda stop: (
                stop.account_id == self
                or (not stop.account_id and stop.company_id == company)
            )
        )

    def _held_domain(self):
        """Return the domain of the actions of these accounts that may not be sent.

        :rtype: Domain
        """
        stops = self._open_stops()
        held = Domain("account_id", "in", self.filtered(lambda a: not a.active).ids)
        for account in self:
            kinds = account._stops_among(stops).mapped("kind")
            if kinds:
                held |= Domain("account_id", "=", account.id) & _of_kinds(kinds)
        return held


class AmazonCheckStop(models.AbstractModel):
    """Finds what is stopped."""

    _name = "amazon.check.stop"
    _inherit = "amazon.check"
    _description = "Amazon Checks of Stops"

    _checks = (Check("stopped", _lt("Sending stopped"), on_panel=True),)

    def _find_stopped(self, accounts):
        """Actions wait because somebody stopped them, or archived the account. What
        the program alone has stopped has an alarm of its own."""
        by_people = accounts.filtered(
            lambda account: (
                not account.active
                or not all(
                    stop.is_automatic or stop.life_id for stop in account._open_stops()
                )
            )
        )
        held = waiting(by_people, STALLED_AFTER, by_people._held_domain())
        return [
            Finding(
                account,
                count,
                self.env._(
                    "Actions of %(account)s that are stopped: %(count)s. %(why)s",
                    account=account.name,
                    count=count,
                    why=self._why_stopped(account),
                ),
                since,
            )
            for account, (count, since) in held.items()
        ]

    def _why_stopped(self, account):
        if not account.active:
            return self.env._("The account is archived.")
        return account._open_stops()._sentences()


def _of_kinds(kinds):
    """Return the domain of actions of these kinds; False stands for all."""
    return Domain.TRUE if False in kinds else Domain("kind", "in", kinds)
