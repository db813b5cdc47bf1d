"""Who may read a company's health: whoever has its token, of which only the digest is
stored."""

import hashlib
import hmac
import secrets

from odoo import api, fields, models

# Of 32 random bytes a plain digest is enough: nobody can try them all.
TOKEN_BYTES = 32


class ResCompany(models.Model):
    _inherit = "res.company"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

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
