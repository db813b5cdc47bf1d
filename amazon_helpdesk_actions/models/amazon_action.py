from odoo import fields, models


class AmazonAction(models.Model):
    """What an action asked from a ticket keeps of it."""

    _inherit = "amazon.action"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    team_id = fields.Many2one(
        "helpdesk.ticket.team",
        readonly=True,
        ondelete="restrict",
        help="The team of the ticket when it was asked for.",
    )

    def _prepare_counted(self, asked):
        """Override to keep the team by whose rows it was judged."""
        return {**super()._prepare_counted(asked), "team_id": asked.team_id}

    def _asked(self, right):
        """Override: in the team that it was asked for in."""
        return super()._asked(right)._replace(team_id=self.team_id.id)

    def _asked_message(self):
        """Override to name the team by whose rows it was judged, since a ticket can be
        moved to another one."""
        message = super()._asked_message()
        if not self.team_id:
            return message
        return self.env._(
            "%(message)s The ticket was in the team %(team)s (%(id)s).",
            message=message,
            team=self.team_id.name,
            id=self.team_id.id,
        )
