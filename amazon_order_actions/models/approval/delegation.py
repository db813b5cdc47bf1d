from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ..base.groups import ADMIN, APPROVE
from .approval import _works_in

# What a delegation is about: whoever wants another one makes another one.
FIXED = {"user_id", "delegate_id", "company_id"}


class AmazonDelegation(models.Model):
    """Who approves while an approver is away.

    It lends the right to decide, for a time, and nothing else: nobody decides on what
    oneself or the person who is away has asked for, and what is lent is not lent on.
    """

    _name = "amazon.delegation"
    _description = "Delegation of Amazon Approvals"
    _order = "date_from desc, id desc"
    _rec_name = "user_id"

    user_id = fields.Many2one(
        "res.users",
        "Away",
        required=True,
        default=lambda self: self.env.user,
        ondelete="restrict",
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
    )
    delegate_id = fields.Many2one(
        "res.users",
        "Stands In",
        required=True,
        ondelete="restrict",
        domain="[('share', '=', False), ('company_ids', 'in', company_id),"
        " ('id', '!=', user_id)]",
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company,
        ondelete="restrict",
        index=True,
    )
    date_from = fields.Datetime("From", required=True, default=fields.Datetime.now)
    date_to = fields.Datetime("Until", required=True)
    note = fields.Char(help="Why, for those who read the list.")
    state = fields.Selection(
        [("planned", "Planned"), ("current", "In Force"), ("over", "Over")],
        compute="_compute_state",
    )

    _dates = models.Constraint(
        "CHECK(date_from <= date_to)", "A delegation ends after it has begun."
    )
    _delegate_idx = models.Index("(delegate_id, date_to)")
    _user_idx = models.Index("(user_id, date_to)")

    # === COMPUTE METHODS === #

    @api.depends("date_from", "date_to")
    def _compute_state(self):
        now = fields.Datetime.now()
        for delegation in self:
            if delegation.date_to and delegation.date_to <= now:
                delegation.state = "over"
            elif delegation.date_from and delegation.date_from > now:
                delegation.state = "planned"
            else:
                delegation.state = "current"

    # === CONSTRAINT METHODS === #

    @api.constrains("user_id", "delegate_id", "company_id")
    def _check_people(self):
        for delegation in self:
            if delegation.user_id == delegation.delegate_id:
                raise ValidationError(
                    self.env._(
                        "Choose somebody else to stand in for %s.",
                        delegation.user_id.name,
                    )
                )
            for user in delegation.user_id | delegation.delegate_id:
                if not _works_in(user, delegation.company_id):
                    raise ValidationError(
                        self.env._(
                            "%(user)s does not work in %(company)s, or not any more.",
                            user=user.name,
                            company=delegation.company_id.name,
                        )
                    )
            if not delegation.user_id.has_group(APPROVE):
                raise ValidationError(
                    self.env._(
                        "%s may not approve, so there is nothing to stand in for.",
                        delegation.user_id.name,
                    )
                )
            actions = self.env["amazon.action"].with_user(delegation.delegate_id)
            if not actions.has_access("read"):
                raise ValidationError(
                    self.env._(
                        "%s does not see Amazon orders, and so could decide on "
                        "nothing. Choose somebody who works with such documents.",
                        delegation.delegate_id.name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override to let only those delegate who may, and to journal it."""
        delegations = super().create(vals_list)
        delegations._check_owner()
        for delegation in delegations:
            delegation._journal(False, delegation._describe())
        return delegations

    def write(self, vals):
        """Override to keep what was delegated to whom, and to journal what changes."""
        self._check_owner()
        if FIXED & set(vals):
            raise UserError(
                self.env._(
                    "Who stands in for whom stays as it is. End this delegation and "
                    "make another one."
                )
            )
        before = {delegation: delegation._describe() for delegation in self}
        result = super().write(vals)
        for delegation, described in before.items():
            if delegation._describe() != described:
                delegation._journal(described, delegation._describe())
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(
            self.env._("A delegation stays on record. End it instead of deleting it.")
        )

    # === ACTION METHODS === #

    def action_end(self):
        """End these delegations now."""
        now = fields.Datetime.now()
        for delegation in self.filtered(lambda delegation: delegation.date_to > now):
            delegation.write(
                {"date_from": min(delegation.date_from, now), "date_to": now}
            )
        return True

    # === BUSINESS METHODS === #

    def _check_owner(self):
        """Refuse people who delegate what is not theirs.

        Asked of the real user also in sudo mode, so that no caller's sudo opens it.

        :raise AccessError: when the user is neither the approver nor an administrator
        """
        user = self.env.user
        if user._is_superuser() or user.has_group(ADMIN):
            return
        if not user.has_group(APPROVE) or self.user_id - user:
            raise AccessError(
                self.env._(
                    "You may delegate only your own approvals. An administrator can "
                    "do it for somebody who is away."
                )
            )

    @api.model
    def _current(self, field, users, company):
        """Return the delegations in force now that concern users.

        :param str field: ``user_id`` or ``delegate_id``
        :param res.users users: the users
        :param res.company company: the company that it is about
        """
        now = fields.Datetime.now()
        # sudo: that somebody stands in counts, whoever looks
        return self.sudo().search(
            [
                (field, "in", users.ids),
                ("company_id", "=", company.id),
                ("date_from", "<=", now),
                ("date_to", ">", now),
            ]
        )

    @api.model
    def _lenders(self, user, company):
        """Return those in whose place a user may decide now. Whether they may
        themselves is to be asked of each: what is lost cannot be lent.

        :param res.users user: who stands in
        :param res.company company: the company that it is about
        :rtype: res.users
        """
        lenders = self._current("delegate_id", user, company).user_id
        return lenders.filtered(lambda lender: _works_in(lender, company))

    @api.model
    def _companies_lent_to(self, user):
        """Return the companies in which a user stands in for an approver now.

        :param res.users user: who stands in
        :return: a subquery of their ids, for a domain
        :rtype: SQL
        """
        now = fields.Datetime.now()
        # its id alone: the group itself would be a query more with each search
        group_id = self.env["ir.model.data"]._xmlid_to_res_id(APPROVE)
        query = self.sudo()._search(
            [
                ("delegate_id", "=", user.id),
                ("date_from", "<=", now),
                ("date_to", ">", now),
                ("user_id.active", "=", True),
                ("user_id.all_group_ids", "in", [group_id]),
            ]
        )
        return query.subselect(self._field_to_sql(query.table, "company_id", query))

    @api.model
    def _stand_ins(self, users, company):
        """Return those who stand in for users now."""
        return self._current("user_id", users, company).delegate_id

    def _describe(self):
        """Return in a line what a delegation says, for the journal."""
        return self.env._(
            "%(delegate)s stands in for %(user)s from %(start)s to %(end)s UTC",
            delegate=self.delegate_id.name,
            user=self.user_id.name,
            start=fields.Datetime.to_string(self.date_from),
            end=fields.Datetime.to_string(self.date_to),
        )

    def _journal(self, before, after):
        self.env["amazon.audit.entry"]._append(
            [
                {
                    "event": "authority",
                    "company_id": self.company_id.id,
                    "value_before": before,
                    "value_after": after,
                    "message": self.env._("Approvals while somebody is away"),
                }
            ]
        )
