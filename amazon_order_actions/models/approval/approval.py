from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, LockError, UserError
from odoo.fields import Domain

from ..base.background import in_background
from ..base.clock import any_ahead, bring_back, database_now
from ..base.groups import ADMIN, APPROVE

# Characters of the reason of a refusal, which the journal keeps.
REFUSAL_LENGTH = 500

ACTIVITY = "amazon_order_actions.mail_activity_type_approval"

STATES = [
    ("waiting", "Waits for Approval"),
    ("approved", "Approved"),
    ("refused", "Refused"),
    ("expired", "Expired"),
    ("withdrawn", "Taken Back"),
    # the action went on without it: blocked, or its outcome is in doubt after all
    ("over", "Not Needed Any More"),
]


class AmazonApproval(models.Model):
    """One decision that is asked of a second person about one action, before it is
    sent, or sent again.

    An action may have several, one after the other: each stays on record as it was
    decided. The last one counts. It waits for as long as its action is in state
    *to_approve*: both change together, whoever changes them has taken the action.

    The activities of the approvers hang on it, and not on the document of the action:
    an approver need not be allowed to read that, and should not follow what buyers
    write.
    """

    _name = "amazon.approval"
    _inherit = [
        "amazon.own.defaults",
        "amazon.document.access",
        "amazon.company.name",
        "amazon.plain.export",
        "mail.thread",
        "mail.activity.mixin",
    ]
    _description = "Approval of an Amazon Action"
    _order = "id desc"
    _rec_name = "action_id"
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
        related="action_id.account_id", store=True, precompute=True
    )
    company_id = fields.Many2one(
        related="action_id.company_id", store=True, precompute=True
    )
    state = fields.Selection(STATES, default="waiting", required=True, readonly=True)
    why = fields.Char(
        "Why It Is Needed",
        readonly=True,
        help="Why the person who asked for it may not have it sent alone.",
    )
    expires_at = fields.Datetime(
        "Until",
        readonly=True,
        help="Who has not decided by then cannot any more, and nothing is sent.",
    )
    remind_at = fields.Datetime(
        readonly=True, help="When the approvers are reminded, once."
    )
    decided_at = fields.Datetime("Decided", readonly=True)
    decided_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    # Whose right it was, where somebody stood in.
    lender_id = fields.Many2one(
        "res.users",
        "Standing in for",
        readonly=True,
        ondelete="restrict",
        help="The approver who was away, and whose right was used.",
    )
    refusal_reason = fields.Text(
        readonly=True,
        help="What the person who refused it wrote down. The journal keeps it for "
        "ever, so it must not name buyers.",
    )
    gap = fields.Char(
        "Approved Without Knowing",
        readonly=True,
        help="What was not known of the order's money when a second person approved "
        "it, knowing that. It holds for one sending.",
    )
    is_gap_spent = fields.Boolean(
        readonly=True, help="The one sending is over that it was approved for."
    )
    can_approve = fields.Boolean("I May Decide", compute="_compute_can_approve")

    # What it is about.
    name = fields.Char(related="action_id.name", string="Reference")
    kind = fields.Selection(related="action_id.kind")
    order_id = fields.Many2one(related="action_id.order_id")
    marketplace = fields.Selection(related="action_id.marketplace")
    currency_id = fields.Many2one(related="action_id.currency_id")
    amount = fields.Monetary(related="action_id.amount")
    user_id = fields.Many2one(related="action_id.user_id", string="Asked by")
    asked_at = fields.Datetime(related="action_id.asked_at")
    state_message = fields.Char(related="action_id.state_message")

    # Few rows, however many decisions there have been; and never two for one action.
    _waiting_uniq = models.UniqueIndex(
        "(action_id) WHERE state = 'waiting'", "It waits for approval already."
    )
    _expires_idx = models.Index("(expires_at) WHERE state = 'waiting'")
    # What a clock that was ahead has written.
    _decided_idx = models.Index("(decided_at)")

    # === COMPUTE METHODS === #

    @api.depends("state", "action_id.user_id")
    @api.depends_context("uid")
    def _compute_can_approve(self):
        for approval in self:
            approval.can_approve = approval.state == "waiting" and bool(
                approval.sudo()._whose_right(self.env.user)
            )

    # === WHO MAY READ === #

    @api.model
    def _access_domain(self):
        """Override: who may read an action may read what was decided on it."""
        return self.env["amazon.action"]._of_readable("action_id")

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override to be the one that counts, and of `mail`: no log and no followers,
        since the documents have them."""
        quiet = self.with_context(tracking_disable=True)
        approvals = super(AmazonApproval, quiet).create(vals_list).with_env(self.env)
        for approval in approvals:
            approval.action_id.approval_id = approval
        return approvals

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(
            self.env._("What was decided stays on record; it is not deleted.")
        )

    # === ACTION METHODS === #

    def action_decide(self):
        """Open the dialog that shows what is asked for, and lets a second person
        decide. Decides nothing.

        :raise AccessError: when the user may not decide on it
        :raise UserError: when there is nothing to decide any more
        """
        self._check_one()
        self._check_approver()
        self.sudo()._check_waiting()
        # What Amazon shows by now belongs to the picture.
        self.sudo().action_id.order_id.refresh_if_stale()
        return self.env["amazon.approval.decision"]._open(self)

    def action_approve(self, without_knowing=False):
        """Approve it as the second person: it is sent like any other from now on, after
        the usual time to take it back. Harmless when the same person does it twice.

        One at a time, by design: each is to be looked at.

        :param bool without_knowing: whether it is approved although what should be
            known of the order's money is not, as the dialog says
        :raise AccessError: when the user may not decide on it
        :raise UserError: when it is decided, has expired or is not possible any more;
            or where something is not known, and the user does not say so
        """
        lender = self._check_approver()
        approval_sudo = self._take_to_decide()
        if approval_sudo._is_decided("approved"):
            return True
        approval_sudo._check_waiting()
        approval_sudo._check_still_possible()
        approval_sudo._check_known(without_knowing)
        approval_sudo._approve(lender)
        return True

    def action_refuse(self, reason):
        """Refuse it as the second person: nothing is sent.

        :param str reason: why, for the person who asked; kept in the journal
        :raise AccessError: when the user may not decide on it
        :raise UserError: without a reason, or when it is decided or has expired
        """
        lender = self._check_approver()
        reason = self._check_reason(reason)
        approval_sudo = self._take_to_decide()
        if approval_sudo._is_decided("refused"):
            return True
        approval_sudo._check_waiting()
        approval_sudo._refuse(lender, reason)
        return True

    # === BUSINESS METHODS - WHO === #

    def _whose_right(self, user):
        """Return by whose right a user may decide on it: never on what oneself has
        asked for, or has asked to send again, and with the right of somebody who is
        away not on what that person has asked for.

        :param res.users user: who wants to decide
        :return: the user; an approver who is away; or nobody
        :rtype: res.users
        """
        self.ensure_one()
        nobody = user.browse()
        askers = self.action_id.user_id | self.action_id.absent_by_id
        if user in askers or not _works_in(user, self.company_id):
            return nobody
        lenders = self.env["amazon.delegation"]._lenders(user, self.company_id)
        for holder in (*user, *lenders):
            if holder not in askers and not self._obstacle_for(holder):
                return holder
        return nobody

    def _obstacle_for(self, user):
        """Return why a user has no right to approve this, or False."""
        return self.action_id._why_may_not_approve(user)

    def _approvers(self):
        """Return who may decide on it now, those who stand in included.

        :rtype: res.users
        """
        self.ensure_one()
        members = self.env.ref(APPROVE).sudo().all_user_ids
        stand_ins = self.env["amazon.delegation"]._stand_ins(members, self.company_id)
        return (members | stand_ins).filtered(self._whose_right)

    def _check_approver(self):
        """Refuse users who may not decide on it.

        Asked of the real user also in sudo mode, so that no caller's sudo opens it.

        :return: the user whose right it is
        :rtype: res.users
        :raise AccessError: when the user may not
        """
        self._check_one()
        self.check_access("read")
        approval_sudo, user = self.sudo(), self.env.user
        holder = approval_sudo._whose_right(user)
        if not holder:
            raise AccessError(approval_sudo._why_not(user))
        return holder

    def _why_not(self, user):
        """Say why a user may not decide on it."""
        action = self.action_id
        if user == action.user_id:
            return self.env._(
                "You asked for %s yourself, so somebody else has to decide on it.",
                action.name,
            )
        if user == action.absent_by_id:
            return self.env._(
                "You asked to send %s again yourself, so somebody else has to decide "
                "on it.",
                action.name,
            )
        if not _works_in(user, self.company_id):
            return self.env._(
                "%(action)s belongs to the company %(company)s. Only its own people "
                "decide on it.",
                action=action.name,
                company=self.company_id.name,
            )
        return self._obstacle_for(user) or self.env._(
            "You may not decide on %s.", action.name
        )

    def _check_one(self):
        if len(self) != 1:
            raise UserError(
                self.env._(
                    "Decide on one action at a time: each is somebody's money and "
                    "wants to be looked at."
                )
            )

    # === BUSINESS METHODS - DECIDING === #

    def _take_to_decide(self):
        """Take the order and the action, so that of two who decide at once only one
        does: the other one's transaction is run again, and finds it decided.

        :return: the approval in sudo mode
        :rtype: amazon.approval
        """
        approval_sudo = self.sudo()
        action_sudo = approval_sudo.action_id
        action_sudo.order_id._take()
        try:
            action_sudo.lock_for_update(allow_referencing=True)
        except LockError:
            raise UserError(
                self.env._(
                    "Somebody else changes %s at this moment. Look at it again.",
                    action_sudo.name,
                )
            ) from None
        action_sudo.invalidate_recordset()
        approval_sudo.invalidate_recordset()
        return approval_sudo

    def _is_decided(self, state):
        """Whether the current user has decided so already.

        :param str state: what was decided
        """
        return self.state == state and self.decided_by_id == self.env.user

    def _check_waiting(self):
        """Refuse what is decided, taken back, or too late."""
        action = self.action_id
        if self.state != "waiting":
            raise UserError(
                self.env._(
                    "%(action)s does not wait for approval any more: %(known)s",
                    action=action.name,
                    known=action.state_message,
                )
                if self == action.approval_id
                else self.env._(
                    "This was decided, and %s was asked for again since. Look at that.",
                    action.name,
                )
            )
        if self.expires_at <= database_now(self.env):
            raise UserError(
                self.env._(
                    "Nobody decided on %(action)s by %(until)s, so it has expired and "
                    "nothing is sent. %(user)s can ask for it again.",
                    action=action.name,
                    until=self._until(),
                    user=action.user_id.name,
                )
            )

    def _check_still_possible(self):
        """Refuse to approve what would only be blocked when it is to be sent."""
        blocker = self._blocker()
        if blocker:
            raise UserError(
                self.env._(
                    "%(action)s cannot be approved any more: %(why)s Refuse it, with "
                    "that reason.",
                    action=self.name,
                    why=blocker,
                )
            )

    def _check_known(self, without_knowing):
        """Refuse to approve past what is not known, unless the user says so."""
        not_known = self._not_known()
        if not_known and not without_knowing:
            raise UserError(
                self.env._(
                    "%(not_known)s Tick “Approve Without Knowing” if it is to be sent "
                    "all the same, or refuse it.",
                    not_known=not_known,
                )
            )

    def _blocker(self):
        """Return why approving it would send nothing, or False."""
        return self.action_id._late_doubt() or self.action_id._late_blocker()

    def _not_known(self):
        """Return what should be known of the order's money, and is not, or False."""
        return self.action_id._kind()._not_known(self.action_id.order_id)

    def _check_reason(self, reason):
        reason = reason.strip() if isinstance(reason, str) else ""
        if not reason:
            raise UserError(
                self.env._(
                    "Write down why you refuse %s, for the one who asked.", self.name
                )
            )
        if len(reason) > REFUSAL_LENGTH:
            raise UserError(
                self.env._(
                    "The reason is kept in the journal and has room for %(limit)s "
                    "characters; yours has %(length)s. Shorten it.",
                    limit=REFUSAL_LENGTH,
                    length=len(reason),
                )
            )
        return reason

    def _decide(self, state, lender, now, **vals):
        """Write down what the current user decides.

        :param str state: what is decided
        :param res.users lender: whose right it is
        :param datetime now: when, by PostgreSQL's clock
        """
        self.write(
            {
                "state": state,
                "decided_at": now,
                "decided_by_id": self.env.uid,
                "lender_id": lender.id if lender != self.env.user else False,
                **vals,
            }
        )

    def _approve(self, lender):
        """Have it sent, after the usual time to take it back.

        :param res.users lender: whose right it is
        """
        action = self.action_id
        now = database_now(self.env)
        action.order_id._forget_ahead(now)
        kind = action._kind()
        self._decide("approved", lender, now, gap=kind._gap(action.order_id))
        action.due_at = now + timedelta(seconds=kind._undo_seconds(action.order_id))
        moved = action._update_state("queued", self._approved_sentence())
        moved._enqueue_dispatch()
        action._check_moved(moved)
        action._journal("decided", state_from="to_approve", state_to="queued")
        self._tell_asker()

    def _approved_sentence(self):
        action = self.action_id
        if action.first_sending_at:
            approved = self.env._("%s approved that it is sent again.", self._decider())
        else:
            approved = self.env._(
                "%(user)s approved it. %(sentence)s",
                user=self._decider(),
                sentence=action._kind()._sentence(action, "queued"),
            )
        if not self.gap:
            return approved
        return self.env._(
            "%(approved)s It was approved without Amazon's finances being known: "
            "%(gap)s",
            approved=approved,
            gap=self.gap,
        )

    def _refuse(self, lender, reason):
        """Have nothing sent, or nothing sent again.

        :param res.users lender: whose right it is
        :param str reason: for the person who asked
        """
        action = self.action_id
        self._decide("refused", lender, database_now(self.env), refusal_reason=reason)
        if action.first_sending_at:
            action._doubt(
                self.env._(
                    "%(user)s refused to send it again. %(before)s Whether Amazon has "
                    "it is still unknown. Look at the order in Seller Central and "
                    "decide. The reason: %(reason)s",
                    user=self._decider(),
                    before=action._sent_before(),
                    reason=reason,
                )
            )
        else:
            action._update_state(
                "refused",
                self.env._(
                    "%(user)s refused it. Nothing was sent to Amazon. The reason: "
                    "%(reason)s",
                    user=self._decider(),
                    reason=reason,
                ),
            )
        action._check_moved(action.filtered(lambda one: one.state != "to_approve"))
        action._journal("decided", state_from="to_approve", state_to=action.state)
        self._tell_asker()

    def _decider(self):
        """Return the name of who decides now, and for whom."""
        user, lender = self.env.user, self.lender_id
        if not lender:
            return user.name
        return self.env._(
            "%(user)s (standing in for %(lender)s)", user=user.name, lender=lender.name
        )

    def _end(self, target):
        """Its action does not wait any more, whether it is decided or not.

        :param str target: the state that the action has gone to
        """
        undecided = self.filtered(lambda approval: approval.state == "waiting")
        undecided.write({"state": "withdrawn" if target == "withdrawn" else "over"})

    # === BUSINESS METHODS - TIME === #

    def _prepare_times(self, account, now):
        """Return until when it can be decided on, and when approvers are reminded.

        :param amazon.seller.account account: whose hours count
        :param datetime now: from when on it waits
        :rtype: dict
        """
        time = timedelta(hours=account.approval_hours)
        return {"expires_at": now + time, "remind_at": now + time / 2}

    def _restart(self, now):
        """Let what waits have all its time from now on."""
        for approval in self:
            approval.write(self._prepare_times(approval.account_id, now))

    @api.model
    def _mend_future(self, account_ids, limit):
        """It was decided now: what Amazon said before is too old."""
        now = database_now(self.env)
        of_accounts = Domain("account_id", "in", account_ids)
        ahead = any_ahead(["decided_at"], now)
        approvals = self.search(of_accounts & ahead, limit=limit)
        bring_back(approvals, ["decided_at"], now)
        return len(approvals)

    def _until(self):
        """Return until when it waits, as a sentence names it."""
        until = self.expires_at
        return self.env._("%s UTC", until.strftime("%Y-%m-%d %H:%M")) if until else ""

    @api.model
    def _cron_approvals(self):
        """Let expire what nobody decided on in time, and remind of the rest once.

        A cron, so that it does not depend on the job runner.
        """
        now = database_now(self.env)
        waiting = [("state", "=", "waiting")]
        late = self.search([*waiting, ("expires_at", "<=", now)])
        slow = self.search([*waiting, ("remind_at", "<=", now)]) - late
        for approvals, method in ((late, "_expire"), (slow, "_remind")):
            for approval in approvals:
                self.env["amazon.failure"]._run_apart(
                    "approvals", in_background(approval, approval.company_id), method
                )

    def _is_taken(self):
        """Take the action, unless somebody decides at this moment.

        :return: whether it still waits, and nobody else can decide meanwhile
        :rtype: bool
        """
        action = self.action_id.try_lock_for_update(allow_referencing=True)
        return action.state == "to_approve" and self.state == "waiting"

    def _expire(self):
        """Let it expire: nothing is sent, or not again."""
        if not self._is_taken():
            return
        action = self.action_id
        if action.first_sending_at:
            action._doubt(
                self.env._(
                    "Nobody approved by %(until)s to send it again, so it is not. "
                    "%(before)s Whether Amazon has it is still unknown. Look at the "
                    "order in Seller Central and decide.",
                    until=self._until(),
                    before=action._sent_before(),
                )
            )
        else:
            action._update_state("expired")
        if action.state != "to_approve":
            self.state = "expired"
            self._tell_asker()

    def _remind(self):
        """Remind its approvers, unless somebody decides at this moment."""
        if self._is_taken() and self.remind_at:
            self.remind_at = False
            self._guarded(lambda: self._tell_approvers(is_reminder=True))

    # === BUSINESS METHODS - TELLING === #

    def _ask(self):
        """Tell those who may decide on these that they wait."""
        for approval in self:
            approval._guarded(approval._tell_approvers)

    def _guarded(self, method):
        """Tell people; where that fails, undo it and say so on the documents."""
        self.env["amazon.action.follower"]._guarded(
            self.action_id,
            method,
            self.env._("Those concerned could not be told. Tell them."),
        )

    def _tell_approvers(self, is_reminder=False):
        """Give each approver something to do, and write to them."""
        people = self._approvers()
        if not people:
            self._tell_that_nobody_may()
            return
        self._schedule(people)
        for lang, users in people.grouped("lang").items():
            approval = self.with_context(lang=lang)
            approval._notify_users(users, approval._subject(is_reminder))

    def _subject(self, is_reminder):
        action = self.action_id
        kinds = dict(action._fields["kind"]._description_selection(self.env))
        values = {
            "kind": kinds[action.kind],
            "amount": action._kind()._money(action.amount, action.currency_id)
            if action.amount
            else "",
            "order": action.order_id.amazon_order_ref,
        }
        if is_reminder:
            subject = self.env._(
                "Still waits for your approval: %(kind)s %(amount)s, %(order)s",
                **values,
            )
        else:
            subject = self.env._(
                "Waits for your approval: %(kind)s %(amount)s, %(order)s", **values
            )
        return subject.replace(" ,", ",")

    def _notify_users(self, users, subject):
        """Write to people about it, to each as he or she prefers (inbox or mail). The
        link opens the form after a login; it decides nothing.

        :param res.users users: who is told
        :param str subject: of the mail
        """
        self._notify_from(
            self.sudo(),
            users,
            subject,
            Markup("<p>%s</p><p>%s</p>")
            % (
                self.action_id.state_message,
                self.env._(
                    "Log in to see the order and what was refunded before, and to "
                    "decide. Opening the link decides nothing."
                ),
            ),
        )

    def _notify_from(self, record, users, subject, body):
        """Write to people, by Odoo's mail queue, soon, but not while somebody waits for
        the click.

        :param record: what the link in the mail opens
        """
        record.message_notify(
            subject=subject,
            body=body,
            partner_ids=users.partner_id.ids,
            email_add_signature=False,
            force_send=False,
        )
        self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()

    def _schedule(self, people):
        """Schedule an activity for each who has none yet."""
        has_one = self.activity_search([ACTIVITY]).user_id
        for user in people - has_one:
            # without the mail that Odoo sends of every activity: one is enough
            self.with_context(mail_activity_quick_update=True).activity_schedule(
                ACTIVITY,
                summary=self.with_context(lang=user.lang)._subject(False),
                user_id=user.id,
            )

    def _drop_activities(self):
        """Nothing is left to do for the approvers."""
        self.activity_search([ACTIVITY]).unlink()

    def _tell_that_nobody_may(self):
        """Say at once that it would wait for nothing."""
        sentence = self.env._(
            "Nobody but the person who asked may approve it, so it would expire. An "
            "administrator can let somebody approve (Amazon orders: Approvals)."
        )
        self.action_id._post(lambda action: f"{action.name}: {sentence}")
        administrators = (
            self.env.ref(ADMIN)
            .sudo()
            .all_user_ids.filtered(lambda user: _works_in(user, self.company_id))
        )
        if administrators:
            self._notify_users(
                administrators,
                self.env._("Nobody may approve %s", self.name),
            )

    def _tell_asker(self):
        """Tell the person who asked what came of it: the notes on the documents reach
        nobody by themselves."""
        self._guarded(self._notify_asker)

    def _notify_asker(self):
        action, asker = self.action_id, self.action_id.user_id
        if asker == self.env.user or not _works_in(asker, self.company_id):
            return
        record = action._record_for(asker)
        self._notify_from(
            self if record == action else record,
            asker,
            self.env._(
                "%(action)s, %(order)s: %(state)s",
                action=action.name,
                order=action.order_id.amazon_order_ref,
                state=action._state_label(),
            ),
            Markup("<p>%s</p>") % action.state_message,
        )

    def _notify_get_recipients_groups(self, message, model_description, msg_vals=False):
        """Override of `mail` to name what the button in the mail opens."""
        groups = super()._notify_get_recipients_groups(
            message, model_description, msg_vals=msg_vals
        )
        for _name, _filter, data in groups:
            if self:
                data.setdefault("button_access", {})["title"] = self.env._("Look at It")
        return groups


def _works_in(user, company):
    """Whether somebody works inside, in that company."""
    user_sudo = user.sudo()
    return (
        user_sudo.active
        and user_sudo._is_internal()
        and company in user_sudo.company_ids
    )
