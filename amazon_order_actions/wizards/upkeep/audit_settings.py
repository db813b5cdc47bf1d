from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import email_normalize, email_split

from odoo.addons.base.models.res_partner import _tz_get

from ...models.base.groups import ADMIN
from ...models.upkeep.retention import RETENTION_LEAST_DAYS

JOURNALED = ("anchor_emails", "retention_days")


class AmazonAuditSettings(models.TransientModel):
    """The dialog in which an administrator says where the anchors of a company's
    journal go, how long documents are kept, and when a day of the limits begins."""

    _name = "amazon.audit.settings"
    _description = "Amazon Journal Settings"

    company_id = fields.Many2one(
        "res.company", readonly=True, default=lambda self: self.env.company
    )
    anchor_emails = fields.Char(
        "Mail Anchors to",
        help="Addresses that get the journal's anchor every day, separated by commas. "
        "Best with somebody who does not administer Odoo, such as an auditor.",
    )
    retention_days = fields.Integer(
        "Keep Documents for (Days)",
        help="Feeds and Amazon's reports are removed after so many days. Their "
        "digests stay in the journal.",
    )
    tz = fields.Selection(
        _tz_get,
        "Time Zone of Limits",
        required=True,
        default=lambda self: self.env.company.amazon_tz,
        help="A day of the limits under Who May Do What begins at midnight there. A "
        "change counts at once.",
    )

    # === CONSTRAINT METHODS === #

    @api.constrains("anchor_emails")
    def _check_anchor_emails(self):
        for settings in self:
            parts = [p.strip() for p in (settings.anchor_emails or "").split(",")]
            for part in filter(None, parts):
                if not email_normalize(part) or len(email_split(part)) != 1:
                    raise ValidationError(
                        self.env._(
                            "%s is no mail address. Separate addresses by commas.", part
                        )
                    )

    @api.constrains("retention_days")
    def _check_retention_days(self):
        if any(row.retention_days < RETENTION_LEAST_DAYS for row in self):
            raise ValidationError(
                self.env._(
                    "Documents are kept for at least %s days: as long as Amazon or a "
                    "buyer may come back to them.",
                    RETENTION_LEAST_DAYS,
                )
            )

    # === ACTION METHODS === #

    @api.model
    def action_open(self):
        """Open the dialog for the current company.

        :raise AccessError: when the user does not administer the addon
        """
        self._check_admin()
        company_sudo = self.env.company.sudo()
        settings = self.create(
            {
                "anchor_emails": company_sudo.amazon_anchor_emails,
                "retention_days": company_sudo.amazon_retention_days,
                "tz": company_sudo.amazon_tz,
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Journal Settings"),
            "res_model": self._name,
            "res_id": settings.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }

    def action_save(self):
        """Take over what was entered, and journal who changed it.

        :raise AccessError: when the user does not administer the addon
        """
        self.ensure_one()
        self._check_admin()
        company_sudo = self.company_id.sudo()
        entries = []
        for name in JOURNALED:
            before, after = company_sudo[f"amazon_{name}"], self[name]
            if (before or "") != (after or ""):
                company_sudo[f"amazon_{name}"] = after
                label = self._fields[name]._description_string(self.env)
                entries.append(
                    {
                        "event": "journal",
                        "company_id": company_sudo.id,
                        "message": self.env._("%s was changed.", label),
                        "value_before": str(before or ""),
                        "value_after": str(after or ""),
                    }
                )
        self.env["amazon.audit.entry"]._append(entries)
        # journals itself, since nobody may change it unseen in any other way either
        company_sudo.amazon_tz = self.tz
        return {"type": "ir.actions.act_window_close"}

    def _check_admin(self):
        if not self.env.user.has_group(ADMIN):
            raise AccessError(
                self.env._(
                    "Only an administrator of the Amazon actions may set this. Ask one."
                )
            )
