import hashlib
import hmac
import secrets

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from odoo.addons.base.models.res_partner import _tz_get

from ..base.groups import ADMIN

# Days for which the feeds and Amazon's reports are kept unless an administrator says
# otherwise. They name no buyer. The longest that one comes back to them is a dispute of
# a card payment: the schemes' outer limit is 540 days.
RETENTION_DAYS = 540
# Of the token with which its health is read, of which only the digest is stored. Of 32
# random bytes a plain digest is enough: nobody can try them all.
TOKEN_BYTES = 32


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

    amazon_health_digest = fields.Char(
        readonly=True, copy=False, groups=fields.NO_ACCESS
    )
    amazon_health_token_at = fields.Datetime(
        "Token for Monitoring Made",
        readonly=True,
        copy=False,
        groups="amazon_order_actions.group_admin",
    )

    _amazon_health_digest_uniq = models.UniqueIndex(
        "(amazon_health_digest) WHERE amazon_health_digest IS NOT NULL"
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

    # === TOKEN FOR MONITORING === #

    def _make_health_token(self):
        """Make a token with which the health of this company is read. The former one
        is of no use from then on.

        :return: the token, which nobody can read again
        :rtype: str
        """
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self._set_health_digest(_digest(token))
        return token

    def _set_health_digest(self, digest):
        """Let one token be the only one, or none, and journal it.

        :param digest: of the token, or False
        """
        self.ensure_one()
        company_sudo = self.sudo()
        company_sudo.amazon_health_digest = digest
        company_sudo.amazon_health_token_at = digest and fields.Datetime.now()
        message = (
            self.env._("A token for monitoring was made.")
            if digest
            else self.env._("The token for monitoring was removed.")
        )
        self.env["amazon.audit.entry"]._append(
            [{"event": "company", "company_id": self.id, "message": message}]
        )

    @api.model
    def _of_health_token(self, token):
        """Return the company whose health is read with a token, none where it is wrong.

        Looked for by its digest: how long that takes tells nothing of the token.

        :param str token: what somebody says is a token
        :rtype: res.company
        """
        digest = _digest(token)
        company_sudo = self.sudo().search(
            [("amazon_health_digest", "=", digest)], limit=1
        )
        known = company_sudo.amazon_health_digest or ""
        if company_sudo and hmac.compare_digest(known, digest):
            return company_sudo.sudo(False)
        return self.browse()


def _digest(token):
    return hashlib.sha256(token.encode()).hexdigest()
