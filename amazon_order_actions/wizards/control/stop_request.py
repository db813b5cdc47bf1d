from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ...models.control.stop import REASON_HELP, REASON_SIZE, kind_selection


class AmazonStopRequest(models.TransientModel):
    """What an administrator stops, and why."""

    _name = "amazon.stop.request"
    _description = "Stop Sending to Amazon"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company",
        compute="_compute_company_id",
        store=True,
        readonly=False,
        required=True,
        precompute=True,
    )
    account_id = fields.Many2one(
        "amazon.seller.account",
        domain="[('company_id', '=', company_id)]",
        check_company=True,
    )
    kind = fields.Selection(kind_selection)
    reason = fields.Char(required=True, size=REASON_SIZE, help=REASON_HELP)
    is_single_company = fields.Boolean(compute="_compute_is_single_company")
    waiting = fields.Integer(
        "Queued Now",
        compute="_compute_waiting",
        help="Actions of this that are queued now, and stay so.",
    )

    # === COMPUTE METHODS === #

    @api.depends("account_id")
    def _compute_company_id(self):
        for request in self:
            request.company_id = (
                request.account_id.company_id or request.company_id or self.env.company
            )

    @api.depends_context("allowed_company_ids")
    def _compute_is_single_company(self):
        self.is_single_company = len(self.env.companies) == 1

    @api.depends("company_id", "account_id", "kind")
    def _compute_waiting(self):
        for request in self:
            request.waiting = _count_queued(
                request.account_id or _accounts_of(request.company_id), request.kind
            )

    # === ACTION METHODS === #

    def action_stop(self):
        """Stop what was chosen, at once.

        :raise AccessError: when the user does not administer the company
        :raise UserError: when it is stopped already
        """
        self.ensure_one()
        self.env["amazon.stop"]._start(
            self.company_id, self.reason, self.account_id, self.kind
        )
        return _show_stops(self)

    def action_stop_everything(self):
        """Stop everything of all companies that the user works in now.

        :raise AccessError: when the user does not administer them
        """
        self.ensure_one()
        self.env["amazon.stop"]._start_everything(self.env.companies, self.reason)
        return _show_stops(self)


class AmazonStopEndRequest(models.TransientModel):
    """What an administrator resumes, and why."""

    _name = "amazon.stop.end.request"
    _description = "Resume Sending to Amazon"

    stop_ids = fields.Many2many("amazon.stop", required=True)
    # Required where it is read: the dialog opens without.
    reason = fields.Char("Why", size=REASON_SIZE, help=REASON_HELP)
    stop_message = fields.Text("Stops", compute="_compute_waiting")
    waiting = fields.Integer(
        "Actions That Leave Then",
        compute="_compute_waiting",
        help="What waits for the end of these stops.",
    )

    # === COMPUTE METHODS === #

    @api.depends("stop_ids")
    def _compute_waiting(self):
        for request in self:
            stops = request.stop_ids._origin._filtered_access("read")
            request.stop_message = stops._sentences()
            request.waiting = sum(
                _count_queued(
                    stop.account_id or _accounts_of(stop.company_id), stop.kind
                )
                for stop in stops
            )

    # === ACTION METHODS === #

    def action_resume(self):
        """End the stops, and send what has waited.

        :raise AccessError: when the user does not administer their companies
        """
        self.ensure_one()
        if not self.stop_ids:
            # those that the user may not read are none, too
            raise UserError(self.env._("There is nothing here that you can resume."))
        self.stop_ids.check_access("read")
        self.stop_ids._end(self.reason)
        return {"type": "ir.actions.act_window_close"}


def _accounts_of(company):
    return company.env["amazon.seller.account"].search(
        [("company_id", "=", company.id)]
    )


def _count_queued(accounts, kind):
    readable = accounts._filtered_access("read")
    queued = Domain("account_id", "in", readable.ids) & Domain("state", "=", "queued")
    if kind:
        queued &= Domain("kind", "=", kind)
    return accounts.env["amazon.action"].sudo().search_count(queued)


def _show_stops(model):
    """Return the action that shows what is stopped now."""
    action = model.env["ir.actions.act_window"]._for_xml_id(
        "amazon_order_actions.amazon_stop_action"
    )
    return {**action, "target": "main"}
