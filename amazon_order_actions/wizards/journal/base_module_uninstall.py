from odoo import api, fields, models


class BaseModuleUninstall(models.TransientModel):
    _inherit = "base.module.uninstall"

    amazon_journal_message = fields.Text(compute="_compute_amazon_journal")
    amazon_journal_missing = fields.Boolean(compute="_compute_amazon_journal")

    @api.depends("module_ids")
    def _compute_amazon_journal(self):
        exports = self.env["amazon.audit.last.export"].sudo()
        for wizard in self:
            names = wizard._get_modules().mapped("name")
            wizard.amazon_journal_missing = False
            wizard.amazon_journal_message = False
            if "amazon_order_actions" not in names:
                continue
            wizard.amazon_journal_missing = bool(exports._companies_not_exported())
            wizard.amazon_journal_message = (
                wizard._sentence_missing()
                if wizard.amazon_journal_missing
                else exports._sentence_exported()
            )

    def _sentence_missing(self):
        return self.env._(
            "The journal of all Amazon actions is removed with the addon. Export it "
            "first: without that, Odoo refuses to uninstall."
        )

    def action_export_amazon_journal(self):
        """Export the journals of all companies to attachments that survive.

        :raise AccessError: when the user may not uninstall
        """
        self.ensure_one()
        self.check_access("write")
        self.env["amazon.audit.last.export"].sudo()._export_before_uninstall()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Uninstall module"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }
