from odoo import api, fields, models
from odoo.fields import Command, Domain

from ..base.clock import database_now
from .authority_usage import Asked
from .careful import CAREFUL_RIGHTS


class AmazonAction(models.Model):
    """The keeper of the gate: the matrix says what a person may have sent alone, and
    what of it waits for a second one. Implements the hooks of `amazon.action`."""

    _inherit = "amazon.action"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    approval_ids = fields.One2many(
        "amazon.approval",
        "action_id",
        "Approvals",
        readonly=True,
        copy=False,
        help="What was asked of a second person about it, the last one first.",
    )
    approval_id = fields.Many2one(
        "amazon.approval",
        "Last Approval",
        readonly=True,
        copy=False,
        ondelete="restrict",
        index="btree_not_null",
        help="The one of them that counts.",
    )
    can_approve = fields.Boolean("I May Decide", compute="_compute_can_approve")
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )
    amount_company = fields.Monetary(
        "Counted",
        currency_field="company_currency_id",
        readonly=True,
        help="What counts against the limits of who asked for it, in the company's "
        "currency, at the rate of the day when it was asked for; if there was none, of "
        "the day when the circuit breaker counted it.",
    )
    is_rate_missing = fields.Boolean(
        "Without a Rate",
        readonly=True,
        help="Its currency had no rate when it was asked for, so it counts nothing "
        "until there is one and the circuit breaker counts it.",
    )
    is_breaker_blocked = fields.Boolean(
        "Blocked by the Circuit Breaker",
        readonly=True,
        copy=False,
        help="It alone was above the most refunds in an hour of its account, or could "
        "not be counted.",
    )

    # The sums of a day, of a person and of a group: what a company asked for on that
    # day, however much there was before.
    _day_idx = models.Index("(company_id, asked_at, user_id) WHERE amount_company > 0")
    # What the administrators are told of: few rows.
    _breaker_idx = models.Index(
        "(account_id, last_state_change) WHERE is_breaker_blocked"
    )

    # The careful limit of a day: what one person asked for in one account, however much
    # there was before.
    _careful_day_idx = models.Index("(account_id, user_id, asked_at) WHERE amount > 0")

    # === COMPUTE METHODS === #

    @api.depends("state", "approval_id", "user_id")
    @api.depends_context("uid")
    def _compute_can_approve(self):
        for action in self:
            action.can_approve = action.sudo().approval_id.can_approve

    # === ACTION METHODS === #

    def action_decide_approval(self):
        """Open the dialog in which a second person decides, from the action's form.

        :raise AccessError: when the user may not decide on it
        :raise UserError: when there is nothing to decide any more
        """
        self.check_access("read")
        return self.approval_id.action_decide()

    # === ASKING === #

    @api.model
    def _gate(self, handler, order, request, now):
        """Override: by the matrix, and by what is not known of the order's money."""
        counted = handler._authority_amount(order, request.amounts, request.quantities)
        authority = self.env["amazon.authority"]
        asked = authority._weigh(handler, order, request.origin.sudo(), counted, now)
        vals = self._prepare_counted(asked)
        # a refusal of what is done already would lose the record of it
        why = not handler._is_assisted(order) and self._why_second_person(
            handler, order, asked
        )
        if why:
            vals.update(self._prepare_approval(order.account_id, why, now))
            vals["state"] = "to_approve"
        return vals

    @api.model
    def _foresee_gate(self, handler, order, origin, amount):
        """Override: by the matrix, too."""
        return self.env["amazon.authority"]._forecast(handler, order, origin, amount)

    @api.model
    def _why_no_mail(self, handler, order, document):
        """Override: by the matrix, as a message."""
        authority = self.env["amazon.authority"]
        asked = authority._weigh(handler, order, document, 0.0)
        return authority._judge(order, asked)

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

    def _prepare_approval(self, account, why, now):
        """Return the values of an action that begins to wait for a second person.

        :param amazon.seller.account account: whose hours count
        :param str why: why a second person is needed
        :param datetime now: when it is asked for
        :rtype: dict
        """
        times = self.env["amazon.approval"]._prepare_times(account, now)
        return {"approval_ids": [Command.create({"why": why, **times})]}

    def _ask_approval(self):
        """Override: the approvers."""
        self.approval_id._ask()

    def _why_may_not_approve(self, user):
        """Override: what the matrix says, of where it is and how much."""
        return self.env["amazon.authority"]._may_approve(self, user)

    # === COUNTING === #

    def _prepare_counted(self, asked):
        """Return the values of an action that is asked for.

        :param Asked asked: as it was judged
        """
        return {
            "amount_company": asked.amount,
            "is_rate_missing": asked.amount is None,
        }

    @api.model
    def _foresee_limit(self, handler, order, origin, amount):
        """Override: the careful limit, while no row is about the right."""
        authority = self.env["amazon.authority"]
        right = handler._right()
        if handler._is_assisted(order) or authority._rows(order.company_id.id, right):
            return False
        origin.check_access("read")
        asked = authority._weigh(handler, order.sudo(), origin.sudo(), amount)
        return authority._foresee_carefully(asked)[1]

    def _asked(self, right):
        """Return where it was asked for and what it counts, as it was judged then.

        :param str right: the right that it is judged by now
        :rtype: Asked
        """
        self.ensure_one()
        return Asked(
            right=right,
            company_id=self.company_id.id,
            account_id=self.account_id.id,
            marketplace=self.marketplace,
            amount=None if self.is_rate_missing else self.amount_company,
            # what moves money is limited in the currency of the order, too
            amount_of_order=self.amount if right in CAREFUL_RIGHTS else 0.0,
            currency_id=right in CAREFUL_RIGHTS and self.currency_id.id,
        )

    def _convert_again(self):
        """Count what had no rate when it was asked for: one may have been entered."""
        authority = self.env["amazon.authority"]
        for action in self.filtered("is_rate_missing"):
            amount = authority._in_company_currency(
                action.amount, action.currency_id, action.company_id
            )
            if amount is not None:
                action.write({"amount_company": amount, "is_rate_missing": False})

    # === ASKING AGAIN === #

    def _why_second_person_before(self):
        """Override: what the last approval was needed for."""
        return self.approval_id.why

    def _why_not_again_alone(self):
        """Override: what needed a second person the first time needs one for each
        further time."""
        handler = self._kind()
        asked = self._asked(handler._right())._replace(action_id=self.id)
        why = self._why_second_person(handler, self.order_id, asked)
        return why or self._why_second_person_before()

    def _ask_to_send_again(self, why):
        """Override: who approved it the first time approved one sending."""
        self._note_sending_again()
        now = database_now(self.env)
        self.write(self._prepare_approval(self.order_id.account_id, why, now))
        self._journal("decided", state_from="unknown", state_to="to_approve")
        self._check_moved(
            self._update_state(
                "to_approve",
                self._ask_again_sentence(),
                {"feed_id": False, "message_number": 0},
            )
        )
        self._ask_approval()

    def _ask_again_sentence(self):
        """Say that a second person decides whether it is sent after all."""
        values = {
            "user": self.env.user.name,
            "until": self.approval_id._until(),
            "why": self.approval_id.why,
        }
        if not self.first_sending_at:
            return self.env._(
                "%(user)s saw in Seller Central that Amazon does not have it, and asks "
                "to send it. A second person has to approve it by %(until)s. %(why)s",
                **values,
            )
        return self.env._(
            "%(user)s saw in Seller Central that Amazon does not have it, and asks to "
            "send it again. %(before)s A second person has to approve it by "
            "%(until)s. %(why)s",
            before=self._sent_before(),
            **values,
        )

    # === WHAT WAS DECIDED === #

    def _approved_at(self):
        """Override: when a second person approved it."""
        approval = self.approval_id
        return approval.state == "approved" and approval.decided_at

    def _is_gap_approved(self, gap):
        """Override: where a second person approved this one sending, knowing that."""
        approval = self.approval_id
        return approval.gap == gap and not approval.is_gap_spent

    def _spend_approval(self):
        """Override: what was approved without knowing all is not approved again."""
        self.approval_id.filtered("gap").is_gap_spent = True

    # === STATES === #

    def _move(self, target, reason, vals):
        """Override: what does not wait any more takes its approval with it."""
        waited = self.filtered(lambda action: action.state == "to_approve")
        result = super()._move(target, reason, vals)
        waited.approval_id._end(target)
        return result

    def _approval_sentence(self):
        """Override: who is waited for, or did not approve it."""
        if self.state == "to_approve":
            return self.env._(
                "%(asked)s A second person has to approve it by %(until)s. %(why)s",
                asked=self._kind()._sentence(self, "queued"),
                until=self.approval_id._until(),
                why=self.approval_id.why,
            )
        if self.state == "refused":
            return self.env._("A second person refused it. Nothing was sent to Amazon.")
        return self.env._(
            "Nobody approved it by %(until)s, so it has expired. Nothing was sent to "
            "Amazon. %(user)s can ask for it again.",
            until=self.approval_id._until(),
            user=self.user_id.name,
        )

    # === WHO SEES IT === #

    @api.model
    def _accounted_for(self):
        """Override: the companies in which the user stands in for an approver."""
        stands_in = self.env["amazon.delegation"]._companies_lent_to(self.env.user)
        return super()._accounted_for() | Domain("company_id", "in", stands_in)

    def _panel_approvals(self):
        """Override: until when each waits, and whether the user may decide."""
        return {
            approval.action_id.id: {
                "can_approve": approval.can_approve,
                "approval_until": fields.Datetime.to_string(approval.expires_at),
            }
            for approval in self.sudo().approval_id
        }
