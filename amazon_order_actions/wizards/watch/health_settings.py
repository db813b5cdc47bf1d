from odoo import api, fields, models
from odoo.exceptions import AccessError

from ...models.base.groups import ADMIN


class AmazonHealthSettings(models.TransientModel):
    """The dialog in which an administrator makes or removes the token with which a
    monitoring system reads the health of a company."""

    _name = "amazon.health.settings"
    _description = "Amazon Monitoring"

    company_id = fields.Many2one(
        "res.company", readonly=True, default=lambda self: self.env.company
    )
    made_at = fields.Datetime("Made", compute="_compute_made_at", compute_sudo=True)
    # Shown once, and stored nowhere.
    token = fields.Char(store=False, readonly=True)
    health_url = fields.Char("JSON", compute="_compute_urls")
    metrics_url = fields.Char("Prometheus", compute="_compute_urls")

    # === COMPUTE METHODS === #

    @api.depends("company_id")
    def _compute_made_at(self):
        for settings in self:
            settings.made_at = settings.company_id.amazon_health_token_at

    def _compute_urls(self):
        for settings in self:
            base = f"{settings.get_base_url()}/amazon_order_actions"
            settings.health_url = f"{base}/health"
            settings.metrics_url = f"{base}/metrics"

    # === ACTION METHODS === #

    @api.model
    def action_open(self):
        """Open the dialog for the current company.

        :raise AccessError: when the user does not administer the company
        """
        self._check_administers(self.env.company)
        return self._open()

    def action_make(self):
        """Make a token in place of the former one, and show it this once.

        :raise AccessError: when the user does not administer the company
        """
        company_sudo = self._company_to_set()
        return self._open(default_token=company_sudo._make_health_token())

    def action_remove(self):
        """Let nobody read the health of the company any more.

        :raise AccessError: when the user does not administer the company
        """
        self._company_to_set()._set_health_digest(False)
        return self._open()

    def _company_to_set(self):
        self.ensure_one()
        company_sudo = self.sudo().company_id
        self._check_administers(company_sudo)
        return company_sudo

    def _check_administers(self, company):
        user = self.env.user
        if not user.has_group(ADMIN) or company not in user.sudo().company_ids:
            raise AccessError(
                self.env._(
                    "Only an Amazon administrator of the company may set this. Ask one."
                )
            )

    def _open(self, **context):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Monitoring"),
            "res_model": self._name,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": context,
        }
