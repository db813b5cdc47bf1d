from odoo import SUPERUSER_ID, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from odoo.addons.base.models.res_partner import _tz_get

from ..base.groups import ADMIN

# Days for which the feeds and Amazon's reports are kept unless an administrator says
# otherwise. They name no buyer. The longest that one comes back to them is a dispute of
# a card payment: the schemes' outer limit is 540 days.
RETENTION_DAYS = 540


class ResCompany(models.Model):
    """What a company has set for all of its accounts, by `amazon.audit.settings`, for
    who administers the addon."""

    _inherit = "res.company"

    # Not the time zone of the company's contact: whoever may edit contacts could let a
    # new day begin.
    amazon_tz = fields.Selection(
        _tz_get,
        "Time Zone of Amazon Limits",
        required=True,
        default=lambda self: self.env.user.tz or "UTC",
        help="A day of the limits begins at midnight there.",
    )

    amazon_retention_days = fields.Integer(
        "Amazon Documents are Kept (Days)", default=RETENTION_DAYS
    )
    amazon_anchor_emails = fields.Char(
        "Addresses for the Journal's Anchors",
        groups="amazon_order_actions.group_admin,amazon_order_actions.group_journal",
    )

    def _init_column(self, column_name):
        """Override of `base`: a company that is there already keeps the time zone that
        its limits had up to now, the one of its contact."""
        if column_name != "amazon_tz":
            return super()._init_column(column_name)
        return self.env.cr.execute(
            SQL(
                """
                UPDATE res_company company
                   SET amazon_tz = COALESCE(NULLIF(partner.tz, ''), 'UTC')
                  FROM res_partner partner
                 WHERE partner.id = company.partner_id AND company.amazon_tz IS NULL
                """
            )
        )

    def write(self, vals):
        """Override of `base`: only who administers the addon says when a day of the
        limits begins, and it is journaled, whatever way it is changed.

        :raise AccessError: when the user does not administer the addon
        """
        if "amazon_tz" not in vals:
            return super().write(vals)
        before = {company: company.amazon_tz for company in self}
        changed = self.filtered(lambda c: c.amazon_tz != vals["amazon_tz"])
        if changed:
            self._check_tz_admin()
        result = super().write(vals)
        self.env["amazon.audit.entry"]._append(
            [
                {
                    "event": "authority",
                    "company_id": company.id,
                    "value_before": before[company],
                    "value_after": company.amazon_tz,
                    "message": self.env._(
                        "The time zone in which a day of the limits begins was changed."
                    ),
                }
                for company in changed
            ]
        )
        return result

    def _check_tz_admin(self):
        """Asked of the real user also in sudo mode, so that no caller's sudo opens
        it."""
        user = self.env.user
        if user.id != SUPERUSER_ID and not user.has_group(ADMIN):
            raise AccessError(
                self.env._(
                    "Only an administrator of the Amazon actions may change the time "
                    "zone of the limits, under Amazon > Configuration > Journal "
                    "Settings."
                )
            )
