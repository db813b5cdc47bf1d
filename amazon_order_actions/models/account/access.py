from datetime import timedelta

from odoo import fields, models
from odoo.tools import LazyTranslate

from ...spapi.envelopes import is_seller_id
from ..watch.check import Check, Finding

_lt = LazyTranslate(__name__)

# A single refusal may be a hiccup at Amazon; the next reading that works ends it.
ACCESS_AFTER = timedelta(minutes=5)
# Somebody who connects an account is not told that it is not connected yet.
SET_UP_WITHIN = timedelta(days=1)


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
            "environment",
            _lt("Seller account not connected"),
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
            if not is_seller_id(account.seller_id) and account._sending_problem()
        ]

    def _find_environment(self, accounts):
        """Nobody has chosen where the account is, though it was set up long ago."""
        limit = fields.Datetime.now() - SET_UP_WITHIN
        return [
            Finding(account, 1, account._describe_environment_missing())
            for account in accounts
            if account._is_environment_missing() and account.create_date < limit
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
