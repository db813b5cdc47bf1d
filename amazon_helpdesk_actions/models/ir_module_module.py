from odoo import models
from odoo.exceptions import UserError


class IrModuleModule(models.Model):
    _inherit = "ir.module.module"

    def button_uninstall(self):
        """Override to refuse to turn rows for a team into rows for everybody: the
        column with the team goes with this addon, and the matrix stays.

        :raise UserError: when there are such rows, with the sentence that names them
        """
        if self.env.is_admin():
            names = (self | self.downstream_dependencies()).mapped("name")
            is_matrix_kept = "amazon_order_actions" not in names
            if "amazon_helpdesk_actions" in names and is_matrix_kept:
                self._check_no_row_of_team()
        return super().button_uninstall()

    def _check_no_row_of_team(self):
        rows_sudo = (
            self.env["amazon.authority"]
            .sudo()
            .with_context(active_test=False)
            .search([("team_id", "!=", False)])
        )
        if rows_sudo:
            raise UserError(
                self.env._(
                    "Uninstalling removes the teams from the matrix, and what is for "
                    "the members of a team would be for everybody in the group. "
                    "Delete these rows first, or make others without a team, under "
                    "Amazon > Configuration > Who May Do What: %s.",
                    "; ".join(rows_sudo.mapped("display_name")),
                )
            )
