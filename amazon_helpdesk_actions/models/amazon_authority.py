from odoo import api, fields, models


class AmazonAuthority(models.Model):
    """Rows for a team of the help desk: the one of the ticket when it is asked for.

    What is asked from a sale order has no such team.
    """

    _inherit = "amazon.authority"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    team_id = fields.Many2one(
        "helpdesk.ticket.team",
        ondelete="restrict",
        check_company=True,
        help="The team of the ticket that it is asked from. Only members of the team "
        "have what the row gives. Empty: every team, and sale orders, which have none.",
    )

    @api.model
    def _scope(self):
        """Override: a team of the help desk, too."""
        return (*super()._scope(), "team_id")

    @api.model
    def _team_of(self, document):
        """Override: a sale order has a team, too, but one of another kind."""
        if document._name != "helpdesk.ticket":
            return super()._team_of(document)
        return document.team_id.id

    @api.model
    def _is_in_team(self, user, team_id):
        """Override: of the help desk."""
        return team_id in user.helpdesk_team_ids.ids

    @api.model
    def _places(self, asked):
        """Override: name the team, or say that there is none."""
        account, *others = super()._places(asked)
        team = self.env["helpdesk.ticket.team"].sudo().browse(asked.team_id or [])
        where = (
            self.env._("the team %s", team.name)
            if team
            else self.env._("no team (a sale order, or a ticket without one)")
        )
        return [account, where, *others]

    def _places_of_row(self):
        """Override: the team, too."""
        account, *others = super()._places_of_row()
        return [account, self.team_id.sudo().name, *others]
