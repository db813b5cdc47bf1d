from datetime import timedelta

from odoo import fields, models
from odoo.tools import LazyTranslate

from ...spapi.credentials import IncompleteCredentials
from ...spapi.errors import Refused
from ..watch.check import Check, Finding
from .seller_account import is_access_refused

_lt = LazyTranslate(__name__)

# A single refusal may be a hiccup at Amazon; the next reading that works ends it.
ACCESS_AFTER = timedelta(minutes=5)


class AmazonSellerAccount(models.Model):
    """Whether Amazon lets us in, as the last call has shown."""

    _inherit = "amazon.seller.account"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    access_refused_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="Since when Amazon refuses who we are; empty where it lets us in.",
    )

    # === BUSINESS METHODS === #

    def _record_tested(self, results, participations):
        """Override to let what the administrator has just mended count at once."""
        result = super()._record_tested(results, participations)
        if results["orders"][0] == "works":
            self.access_refused_at = False
        return result

    def _note_access(self, error):
        """Keep in mind whether Amazon lets this account in, as a call has just shown.

        :param Exception error: what the strict layer raised; None where the call worked
        """
        if error is None:
            self._set_access_refused(False)
        elif isinstance(error, IncompleteCredentials):
            self._set_access_refused(True)
        elif isinstance(error, Refused):
            # any other refusal shows that Amazon knows who asks
            self._set_access_refused(is_access_refused(error))

    def _set_access_refused(self, refused):
        """Write it where it changes, in a cursor of its own, as AccessTokenStore does:
        the row of an account must not make its readers wait for each other."""
        if bool(self.access_refused_at) == refused:
            return
        with self.env.registry.cursor() as cr:
            account_sudo = self.sudo().with_env(self.env(cr=cr, su=True))
            locked = account_sudo.try_lock_for_update(allow_referencing=True)
            locked.access_refused_at = refused and fields.Datetime.now()
        self.invalidate_recordset(["access_refused_at"])


class AmazonCheckAccess(models.AbstractModel):
    """Finds accounts that Amazon does not let in."""

    _name = "amazon.check.access"
    _inherit = "amazon.check"
    _description = "Amazon Checks of Access"

    _checks = (
        Check(
            "seller_id",
            _lt("Seller ID not valid"),
            on_panel=True,
            explains_waiting=True,
        ),
        Check(
            "access", _lt("Amazon refuses access"), on_panel=True, explains_waiting=True
        ),
    )

    def _find_seller_id(self, accounts):
        """Amazon's form does not take the seller id, which an old version let in."""
        return [
            Finding(account, 1, account._sending_problem())
            for account in accounts
            if account._sending_problem()
        ]

    def _find_access(self, accounts):
        """Amazon refuses who we are."""
        limit = fields.Datetime.now() - ACCESS_AFTER
        return [
            Finding(
                account,
                1,
                self.env._(
                    "Amazon refuses access to the account %s, or its credentials are "
                    "incomplete. Nothing is read or sent. An administrator must check "
                    "the credentials and authorise the application again, then test "
                    "the connection.",
                    account.name,
                ),
                account.access_refused_at,
            )
            for account in accounts
            if account.access_refused_at and account.access_refused_at < limit
        ]
