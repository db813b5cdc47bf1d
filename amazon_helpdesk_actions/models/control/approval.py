from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, LockError, UserError

from ..base.background import in_background
from ..base.clock import database_now
from ..base.groups import ADMIN, APPROVE

# Hours after which nobody approves any more what waits for approval, unless the account
# says otherwise; and characters of the reason of a refusal, which the journal keeps.
APPROVAL_HOURS, APPROVAL_HOURS_MAX, REFUSAL_LENGTH = 24, 720, 500

ACTIVITY = "amazon_helpdesk_actions.mail_activity_type_approval"


# What an action keeps of the decision of a second person.
class AmazonSellerAccount(models.Model):
    _inherit = "amazon.seller.account"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    approval_hours = fields.Integer(
        "Approval Within",
        default=APPROVAL_HOURS,
        required=True,
        help="Hours in which a second person can approve what somebody may not have "
        "sent alone. After half of them the approvers are reminded; after all of them "
        "it expires, and nothing is sent.",
    )

    _approval_hours = models.Constraint(
        f"CHECK(approval_hours BETWEEN 1 AND {APPROVAL_HOURS_MAX})",
        "An approval must be possible for 1 to 720 hours.",
    )


class AmazonAction(models.Model):
    """What a second person decides on, before anything may be sent.

    The activities of the approvers hang on the action, not on its document: an approver
    need not be allowed to read it, and should not follow what buyers write.
    """

    _name = "amazon.action"
    _inherit = ["amazon.action", "mail.thread", "mail.activity.mixin"]  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    why_approval = fields.Char(
        "Why Approval Is Needed",
        readonly=True,
        help="Why the person who asked for it may not have it sent alone.",
    )
    approval_expires_at = fields.Datetime(
        "Approval Until",
        readonly=True,
        copy=False,
        help="Who has not decided by then cannot any more, and nothing is sent.",
    )
    approval_remind_at = fields.Datetime(
        readonly=True, copy=False, help="When the approvers are reminded, once."
    )
    approved_at = fields.Datetime("Approved", readonly=True, copy=False)
    approved_by_id = fields.Many2one(
        "res.users", readonly=True, copy=False, ondelete="restrict"
    )
    refused_by_id = fields.Many2one(
        "res.users", readonly=True, copy=False, ondelete="restrict"
    )
    # Whose right it was, where somebody stood in.
    approval_lender_id = fields.Many2one(
        "res.users",
        "Standing in for",
        readonly=True,
        copy=False,
        ondelete="restrict",
        help="The approver who was away, and whose right was used.",
    )
    refusal_reason = fields.Text(
        readonly=True,
        copy=False,
        help="What the person who refused it wrote down. The journal keeps it for "
        "ever, so it must not name buyers.",
    )
    approved_gap = fields.Char(
        "Approved Without Knowing",
        readonly=True,
        copy=False,
        help="What was not known of the order's money when a second person approved "
        "it, knowing that. It holds for one sending.",
    )
    can_approve = fields.Boolean("I May Decide", compute="_compute_can_approve")

    # Few rows, however many actions there have been.
    _to_approve_idx = models.Index(
        "(company_id, approval_expires_at) WHERE state = 'to_approve'"
    )

    # === COMPUTE METHODS === #

    @api.depends("state", "user_id")
    @api.depends_context("uid")
    def _compute_can_approve(self):
        for action in self:
            action.can_approve = action.state == "to_approve" and bool(
                action.sudo()._whose_right(self.env.user)
            )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `mail`: no log and no followers, since the documents have them;
        the click should cost no more than before."""
        quiet = self.with_context(tracking_disable=True)
        return super(AmazonAction, quiet).create(vals_list).with_env(self.env)

    # === ACTION METHODS === #

    def action_decide_approval(self):
        """Open the dialog that shows what is asked for, and lets a second person
        decide. Decides nothing.

        :raise AccessError: when the user may not decide on it
        :raise UserError: when there is nothing to decide any more
        """
        self._check_one()
        self._check_approver()
        self.sudo()._check_to_approve()
        # What Amazon shows by now belongs to the picture.
        self.sudo().order_id.refresh_if_stale()
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
        action_sudo = self._take_to_decide()
        if action_sudo.approved_by_id == self.env.user:
            return True
        action_sudo._check_to_approve()
        action_sudo._check_still_possible()
        action_sudo._check_known(without_knowing)
        action_sudo._approve(lender)
        return True

    def action_refuse(self, reason):
        """Refuse it as the second person: nothing is sent.

        :param str reason: why, for the person who asked; kept in the journal
        :raise AccessError: when the user may not decide on it
        :raise UserError: without a reason, or when it is decided or has expired
        """
        lender = self._check_approver()
        reason = self._check_reason(reason)
        action_sudo = self._take_to_decide()
        if action_sudo.refused_by_id == self.env.user:
            return True
        action_sudo._check_to_approve()
        action_sudo._refuse(lender, reason)
        return True

    # === BUSINESS METHODS - WHO === #

    def _whose_right(self, user):
        """Return by whose right a user may decide on this action: never on what oneself
        has asked for, or has asked to send again, and with the right of somebody who is
        away not on what that person has asked for.

        :param res.users user: who wants to decide
        :return: the user; an approver who is away; or nobody
        :rtype: res.users
        """
        self.ensure_one()
        nobody = user.browse()
        askers = self.user_id | self.absent_by_id
        if user in askers or not _works_in(user, self.company_id):
            return nobody
        lenders = self.env["amazon.delegation"]._lenders(user, self.company_id)
        for holder in (*user, *lenders):
            if holder not in askers and not self._approval_obstacle(holder):
                return holder
        return nobody

    def _approval_obstacle(self, user):
        """Return why the matrix gives a user no right to approve this, or False."""
        return self.env["amazon.authority"]._may_approve(self, user)

    def _approvers(self):
        """Return who may decide on this action now, those who stand in included.

        :rtype: res.users
        """
        self.ensure_one()
        members = self.env.ref(APPROVE).sudo().all_user_ids
        stand_ins = self.env["amazon.delegation"]._stand_ins(members, self.company_id)
        return (members | stand_ins).filtered(self._whose_right)

    def _check_approver(self):
        """Refuse users who may not decide on this action.

        Asked of the real user also in sudo mode, so that no caller's sudo opens it.

        :return: the user whose right it is
        :rtype: res.users
        :raise AccessError: when the user may not
        """
        self._check_one()
        self.check_access("read")
        action_sudo, user = self.sudo(), self.env.user
        holder = action_sudo._whose_right(user)
        if not holder:
            raise AccessError(action_sudo._why_not(user))
        return holder

    def _why_not(self, user):
        """Say why a user may not decide on this action."""
        if user == self.user_id:
            return self.env._(
                "You asked for %s yourself, so somebody else has to decide on it.",
                self.name,
            )
        if user == self.absent_by_id:
            return self.env._(
                "You asked to send %s again yourself, so somebody else has to decide "
                "on it.",
                self.name,
            )
        if not _works_in(user, self.company_id):
            return self.env._(
                "%(action)s belongs to the company %(company)s. Only its own people "
                "decide on it.",
                action=self.name,
                company=self.company_id.name,
            )
        return self._approval_obstacle(user) or self.env._(
            "You may not decide on %s.", self.name
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

        :return: the action in sudo mode
        :rtype: amazon.action
        """
        action_sudo = self.sudo()
        action_sudo.order_id._take()
        try:
            action_sudo.lock_for_update(allow_referencing=True)
        except LockError:
            raise UserError(
                self.env._(
                    "Somebody else changes %s at this moment. Look at it again.",
                    self.name,
                )
            ) from None
        action_sudo.invalidate_recordset()
        return action_sudo

    def _check_to_approve(self):
        """Refuse what is decided, taken back, or too late."""
        if self.state != "to_approve":
            raise UserError(
                self.env._(
                    "%(action)s does not wait for approval any more: %(known)s",
                    action=self.name,
                    known=self.state_message,
                )
            )
        if self.approval_expires_at <= database_now(self.env):
            raise UserError(
                self.env._(
                    "Nobody decided on %(action)s by %(until)s, so it has expired and "
                    "nothing is sent. %(user)s can ask for it again.",
                    action=self.name,
                    until=self._as_text(self.approval_expires_at),
                    user=self.user_id.name,
                )
            )

    def _check_still_possible(self):
        """Refuse to approve what would only be blocked when it is to be sent."""
        blocker = self._approval_blocker()
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
        not_known = self._kind()._not_known(self.order_id)
        if not_known and not without_knowing:
            raise UserError(
                self.env._(
                    "%(not_known)s Tick “Approve Without Knowing” if it is to be sent "
                    "all the same, or refuse it.",
                    not_known=not_known,
                )
            )

    def _approval_blocker(self):
        """Return why approving it would send nothing, or False."""
        return self._late_doubt() or self._late_blocker()

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

    def _approve(self, lender):
        """Have it sent, after the usual time to take it back.

        :param res.users lender: whose right it is
        """
        now = database_now(self.env)
        self.order_id._forget_ahead(now)
        seconds = self._kind()._undo_seconds(self.order_id)
        self.write(
            {
                "approved_at": now,
                "approved_by_id": self.env.uid,
                "approved_gap": self._kind()._gap(self.order_id),
                "approval_lender_id": lender.id if lender != self.env.user else False,
                "due_at": now + timedelta(seconds=seconds),
            }
        )
        self._check_moved(self._set_approved(self._approved_sentence()))
        self._journal("decided", state_from="to_approve", state_to="queued")
        self._tell_asker()

    def _approved_sentence(self):
        if self.first_sending_at:
            approved = self.env._("%s approved that it is sent again.", self._decider())
        else:
            approved = self.env._(
                "%(user)s approved it. %(sentence)s",
                user=self._decider(),
                sentence=self._kind()._sentence(self, "queued"),
            )
        if not self.approved_gap:
            return approved
        return self.env._(
            "%(approved)s It was approved without Amazon's finances being known: "
            "%(gap)s",
            approved=approved,
            gap=self.approved_gap,
        )

    def _refuse(self, lender, reason):
        """Have nothing sent.

        :param res.users lender: whose right it is
        :param str reason: for the person who asked
        """
        self.write(
            {
                "refused_by_id": self.env.uid,
                "approval_lender_id": lender.id if lender != self.env.user else False,
                "refusal_reason": reason,
            }
        )
        if self.first_sending_at:
            self._doubt(
                self.env._(
                    "%(user)s refused to send it again. %(before)s Whether Amazon has "
                    "it is still unknown. Look at the order in Seller Central and "
                    "decide. The reason: %(reason)s",
                    user=self._decider(),
                    before=self._sent_before(),
                    reason=reason,
                )
            )
        else:
            self._set_refused(
                self.env._(
                    "%(user)s refused it. Nothing was sent to Amazon. The reason: "
                    "%(reason)s",
                    user=self._decider(),
                    reason=reason,
                )
            )
        self._journal("decided", state_from="to_approve", state_to=self.state)
        self._tell_asker()

    def _decider(self):
        """Return the name of who decides now, and for whom."""
        user, lender = self.env.user, self.approval_lender_id
        if not lender:
            return user.name
        return self.env._(
            "%(user)s (standing in for %(lender)s)", user=user.name, lender=lender.name
        )

    # === BUSINESS METHODS - STATES === #

    def _set_approved(self, reason=None):
        """A second person approved it: from now on it is sent like any other."""
        moved = self._update_state("queued", reason)
        moved._enqueue_dispatch()
        return moved

    def _set_refused(self, reason):
        """A second person refused it: nothing is sent."""
        return self._update_state("refused", reason)

    def _set_expired(self):
        """Nobody decided in time: nothing is sent, or not again."""
        again = self.filtered("first_sending_at")
        (self - again)._update_state("expired")
        for action in again:
            action._doubt(
                self.env._(
                    "Nobody approved by %(until)s to send it again, so it is not. "
                    "%(before)s Whether Amazon has it is still unknown. Look at the "
                    "order in Seller Central and decide.",
                    until=self._as_text(action.approval_expires_at),
                    before=action._sent_before(),
                )
            )

    def _approval_sentence(self):
        """What is known of an action in a state of its approval."""
        sentences = {
            "to_approve": lambda: self.env._(
                "%(asked)s A second person has to approve it by %(until)s. %(why)s",
                asked=self._kind()._sentence(self, "queued"),
                until=self._as_text(self.approval_expires_at),
                why=self.why_approval,
            ),
            "refused": lambda: self.env._(
                "A second person refused it. Nothing was sent to Amazon."
            ),
            "expired": lambda: self.env._(
                "Nobody approved it by %(until)s, so it has expired. Nothing was sent "
                "to Amazon. %(user)s can ask for it again.",
                until=self._as_text(self.approval_expires_at),
                user=self.user_id.name,
            ),
        }
        return sentences[self.state]()

    def _as_text(self, moment):
        """Return a moment, where there is one, as a sentence names it."""
        return self.env._("%s UTC", moment.strftime("%Y-%m-%d %H:%M")) if moment else ""

    # === BUSINESS METHODS - ASKING FOR IT === #

    def _why_second_person(self, handler, order, asked):
        """Return why the current user may not have something sent alone, or False.

        :param handler: the kind of action
        :param amazon.order order: the order, taken for this transaction, in sudo mode
        :param Asked asked: what is asked for
        :raise AccessError: when the matrix does not give it to the user
        """
        reasons = (
            self.env["amazon.authority"]._judge(order, asked),
            handler._not_known(order),
        )
        return " ".join(filter(None, reasons)) or False

    def _prepare_approval(self, order, why_approval, now):
        """Return what an action that is asked for now keeps of its approval.

        :param amazon.order order: the order to act on
        :param str why_approval: why a second person is needed, or False
        :param datetime now: when it is asked for
        :rtype: dict
        """
        if not why_approval:
            return {}
        time = timedelta(hours=order.account_id.approval_hours)
        return {
            "why_approval": why_approval,
            "approval_expires_at": now + time,
            "approval_remind_at": now + time / 2,
        }

    def _ask_approval(self):
        """Tell those who may approve these actions that they wait."""
        for action in self:
            action._guarded(action._tell_approvers, action._telling_failed())

    def _tell_approvers(self, is_reminder=False):
        """Give each approver something to do, and write to them."""
        people = self._approvers()
        if not people:
            self._tell_that_nobody_may()
            return
        self._schedule_approval(people)
        for lang, users in people.grouped("lang").items():
            action = self.with_context(lang=lang)
            action._notify_users(users, action._approval_subject(is_reminder))

    def _approval_subject(self, is_reminder):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        values = {
            "kind": kinds[self.kind],
            "amount": self._kind()._money(self.amount, self.currency_id)
            if self.amount
            else "",
            "order": self.order_id.amazon_order_ref,
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
        """Write to people about this action, to each as he or she prefers (inbox or
        mail). The link opens the form after a login; it decides nothing.

        :param res.users users: who is told
        :param str subject: of the mail
        """
        self.sudo().message_notify(
            subject=subject,
            body=Markup("<p>%s</p><p>%s</p>")
            % (
                self.state_message,
                self.env._(
                    "Log in to see the order and what was refunded before, and to "
                    "decide. Opening the link decides nothing."
                ),
            ),
            partner_ids=users.partner_id.ids,
            email_add_signature=False,
            force_send=False,
        )
        # by Odoo's mail queue, soon, but not while somebody waits for the click
        self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()

    def _schedule_approval(self, people):
        """Schedule an activity for each who has none yet."""
        has_one = self.activity_search([ACTIVITY]).user_id
        for user in people - has_one:
            # without the mail that Odoo sends of every activity: one is enough
            self.with_context(mail_activity_quick_update=True).activity_schedule(
                ACTIVITY,
                summary=self.with_context(lang=user.lang)._approval_subject(False),
                user_id=user.id,
            )

    def _drop_approval_activities(self):
        """Follower: nothing is left to do for the approvers of what is decided."""
        decided = self.filtered(
            lambda action: action.why_approval and action.state != "to_approve"
        )
        if decided:
            decided.activity_search([ACTIVITY]).unlink()

    def _tell_that_nobody_may(self):
        """Say at once that it would wait for nothing."""
        sentence = self.env._(
            "Nobody but the person who asked may approve it, so it would expire. An "
            "administrator can let somebody approve (Amazon orders: Approvals)."
        )
        self._post(lambda action: f"{action.name}: {sentence}")
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
        self._guarded(self._notify_asker, self._telling_failed())

    def _notify_asker(self):
        asker = self.user_id
        if asker == self.env.user or not _works_in(asker, self.company_id):
            return
        self._record_for(asker).message_notify(
            subject=self.env._(
                "%(action)s, %(order)s: %(state)s",
                action=self.name,
                order=self.order_id.amazon_order_ref,
                state=dict(self._fields["state"]._description_selection(self.env))[
                    self.state
                ],
            ),
            body=Markup("<p>%s</p>") % self.state_message,
            partner_ids=asker.partner_id.ids,
            email_add_signature=False,
            force_send=False,
        )
        self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()

    def _telling_failed(self):
        return self.env._("Those concerned could not be told. Tell them.")

    def _notify_get_recipients_groups(self, message, model_description, msg_vals=False):
        """Override of `mail` to name what the button in the mail opens."""
        groups = super()._notify_get_recipients_groups(
            message, model_description, msg_vals=msg_vals
        )
        for _name, _filter, data in groups:
            if self:
                data.setdefault("button_access", {})["title"] = self.env._("Look at It")
        return groups

    # === BUSINESS METHODS - TIME === #

    @api.model
    def _cron_approvals(self):
        """Let expire what nobody decided on in time, and remind of the rest once.

        A cron, so that it does not depend on the job runner.
        """
        now = database_now(self.env)
        waiting = [("state", "=", "to_approve")]
        late = self.search([*waiting, ("approval_expires_at", "<=", now)])
        slow = self.search([*waiting, ("approval_remind_at", "<=", now)]) - late
        for actions, method in ((late, "_expire"), (slow, "_remind")):
            for action in actions:
                self.env["amazon.failure"]._run_apart(
                    "approvals", in_background(action, action.company_id), method
                )

    def _expire(self):
        """Let it expire, unless somebody decides at this moment."""
        action = self.try_lock_for_update(allow_referencing=True)
        if action.state == "to_approve":
            action._set_expired()
            action._tell_asker()

    def _remind(self):
        """Remind its approvers, unless somebody decides at this moment."""
        action = self.try_lock_for_update(allow_referencing=True)
        if action.state == "to_approve" and action.approval_remind_at:
            action.approval_remind_at = False
            action._guarded(
                lambda: action._tell_approvers(is_reminder=True),
                action._telling_failed(),
            )


def _works_in(user, company):
    """Whether somebody works inside, in that company."""
    user_sudo = user.sudo()
    return (
        user_sudo.active
        and user_sudo._is_internal()
        and company in user_sudo.company_ids
    )
