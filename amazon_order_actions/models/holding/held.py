from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class AmazonSellerHeld(models.AbstractModel):
    """What of an account does not leave, by what its gatekeepers say."""

    _name = "amazon.seller.held"
    _description = "Amazon Seller Account Held Back"

    company_id = fields.Many2one("res.company")
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
    has_life_stop = fields.Boolean(
        "Waits for a Decision",
        compute="_compute_stop_message",
        compute_sudo=True,
        help="The database was found to be restored, copied or moved.",
    )

    # === COMPUTE METHODS === #

    @api.depends("company_id")
    @api.depends_context("lang", "tz")
    def _compute_stop_message(self):
        holds = self.env["amazon.gatekeeper"]._all_holds(self)
        for account in self:
            account.is_stopped = bool(holds[account])
            account.stop_message = "\n".join(hold.tell() for hold in holds[account])
            account.has_life_stop = any(hold.needs_decision for hold in holds[account])

    def _search_is_stopped(self, operator, value):
        if operator != "in":
            return NotImplemented
        every = self.sudo().with_context(active_test=False).search([])
        holds = self.env["amazon.gatekeeper"]._all_holds(every)
        return Domain("id", "in", [account.id for account in every if holds[account]])

    # === ACTION METHODS === #

    def action_resume(self):
        """Open the dialog that ends the stops of this account; those of the whole
        company where it has none of its own. Changes nothing.

        :raise UserError: when nothing is stopped
        """
        self.ensure_one()
        self.check_access("read")
        dialog = self.env["amazon.gatekeeper"]._first_dialog("_resume_dialog", self)
        if not dialog:
            raise UserError(self.env._("This is not stopped any more."))
        return dialog

    def action_decide_life(self):
        """Open the dialog that decides what this database is. Changes nothing.

        :raise AccessError: when the user does not administer the company
        :raise UserError: when there is nothing to decide
        """
        self.ensure_one()
        self.check_access("read")
        dialog = self.env["amazon.gatekeeper"]._first_dialog("_decision_dialog", self)
        if not dialog:
            raise UserError(self.env._("There is nothing to decide here any more."))
        return dialog

    # === BUSINESS METHODS === #

    def _may_send(self, kind=None):
        """Whether actions of this account may leave, by what is committed by now.

        :param str kind: kind of action; None asks whether any may
        """
        return self.active and not self._holds_of(kind)

    def _holds_of(self, kind=None):
        """Return what holds a kind of action, or what holds all.

        :param str kind: kind of action
        :rtype: list[Hold]
        """
        self.ensure_one()
        holds = self.env["amazon.gatekeeper"]._all_holds(self)[self]
        return [hold for hold in holds if not hold.kind or hold.kind == kind]

    def _held_sentences(self, kind):
        """Say what holds a kind of action; empty where nothing does.

        :rtype: str
        """
        return "\n".join(hold.tell() for hold in self._holds_of(kind))

    def _held_domain(self):
        """Return the domain of the actions of these accounts that may not be sent.

        :rtype: Domain
        """
        held = Domain("account_id", "in", self.filtered(lambda a: not a.active).ids)
        for account, holds in self.env["amazon.gatekeeper"]._all_holds(self).items():
            kinds = [hold.kind for hold in holds]
            if kinds:
                held |= Domain("account_id", "=", account.id) & _of_kinds(kinds)
        return held

    def _not_sent_sentence(self, kind):
        """Say why actions of a kind wait again that were about to be sent.

        :param str kind: kind of action
        """
        held = self._held_sentences(kind)
        if held:
            return self.env._(
                "Nothing was sent. %(stops)s It waits until an administrator resumes "
                "it.",
                stops=held,
            )
        return self.env["amazon.gatekeeper"]._why_nothing_leaves() or self.env._(
            "Not sent yet: Amazon could not take it at the moment. It is tried again "
            "by itself."
        )


def _of_kinds(kinds):
    """Return the domain of actions of these kinds; False stands for all."""
    return Domain.TRUE if False in kinds else Domain("kind", "in", kinds)
