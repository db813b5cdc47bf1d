from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import LazyTranslate, format_date

from ...spapi.errors import NotSent
from ...spapi.redact import protect
from ..base.groups import ADMIN
from ..base.private_log import private_logger
from ..watch.check import Check, Finding
from .sealing import (
    CONFIG_OPTION,
    CONFIG_SECTION,
    KEYS_VARIABLE,
    MAKE_KEY,
    KeyMissing,
    KeyUnusable,
    Unsealable,
    check_keys,
    is_under_first_key,
    reseal,
    seal,
    sealed_at,
    unseal,
)

_lt = LazyTranslate(__name__)

_logger = private_logger(__name__)

# Days for which Amazon accepts the client secret of an application, and days before its
# end at which administrators are told, the second time urgently. Source: "Rotate your
# Application's LWA Credentials",
# https://developer-docs.amazon.com/sp-api/docs/rotating-your-apps-lwa-credentials
SECRET_DAYS = 180
SECRET_DUE_DAYS, SECRET_NEAR_DAYS = 30, 7

# Entered by people, and readable by nobody.
ENTERED_SECRETS = ("lwa_client_secret", "lwa_refresh_token")

# Of these the journal holds that they were changed, and no value.
CREDENTIALS = {"lwa_client_id", *ENTERED_SECRETS}
# Decides whose lists they are: with another value, what was read is of no use.
IDENTITY = {"seller_id", "region", "environment", "simulator_url"}
# What decides whose authorisation it is, so that an access token belongs to it.
AUTHORISATION = CREDENTIALS | IDENTITY
SECRETS = (*ENTERED_SECRETS, "access_token")

# Odoo's loggers that, at DEBUG, print what a client writes.
protect("odoo.service.model", "odoo.http.rpc.request")


class UnreadableSecret(NotSent):
    """A secret cannot be decrypted on this server, so that nothing was sent. What
    waits goes on waiting: with the right key it can be sent."""

    def __init__(self, message):
        super().__init__("secret", message)

    def __str__(self):
        return self.message


class AmazonSellerCredentials(models.AbstractModel):
    """The credentials of a seller account: secrets go in and never come out.

    What is stored is sealed (`sealing`) for its account, its field, and for Amazon or
    the simulator, so that it is of no use anywhere else. The fields that people enter
    secrets in are empty whoever reads them. `_secret` opens them for the strict layer.
    """

    _name = "amazon.seller.credentials"
    _description = "Amazon Credentials of a Seller Account"

    lwa_client_id = fields.Char("LWA Client ID", groups=ADMIN, copy=False)
    lwa_client_secret = fields.Char(
        "LWA Client Secret",
        groups=ADMIN,
        compute="_compute_entered",
        inverse="_inverse_lwa_client_secret",
        copy=False,
        exportable=False,
        help="Stored encrypted, and shown to nobody. Enter a new one to replace it.",
    )
    lwa_refresh_token = fields.Char(
        "LWA Refresh Token",
        groups=ADMIN,
        compute="_compute_entered",
        inverse="_inverse_lwa_refresh_token",
        copy=False,
        exportable=False,
        help="Stored encrypted, and shown to nobody. Enter a new one to replace it.",
    )
    lwa_client_secret_date = fields.Date(
        "Client Secret Made On",
        groups=ADMIN,
        compute="_compute_lwa_client_secret_date",
        store=True,
        readonly=False,
        copy=False,
        help="Amazon wants the client secret changed every 180 days, and refuses the "
        "application after that. This is the day it was entered here; where it was "
        "made earlier, correct it, so that you are reminded in time.",
    )
    # For the superuser alone, and sealed even for him.
    lwa_client_secret_sealed = fields.Char(
        groups=fields.NO_ACCESS, copy=False, exportable=False
    )
    lwa_refresh_token_sealed = fields.Char(
        groups=fields.NO_ACCESS, copy=False, exportable=False
    )
    access_token_sealed = fields.Char(
        groups=fields.NO_ACCESS, copy=False, exportable=False
    )
    lwa_client_secret_hint = fields.Char(groups=ADMIN, compute="_compute_hints")
    lwa_refresh_token_hint = fields.Char(groups=ADMIN, compute="_compute_hints")
    secrets_problem = fields.Text(groups=ADMIN, compute="_compute_secrets_problem")
    is_reencryption_due = fields.Boolean(
        groups=ADMIN,
        compute="_compute_is_reencryption_due",
        help="Whether a secret is encrypted with a key that is not the first one.",
    )

    def init(self):
        """Override to refuse an update of the addon on a server that lacks the key,
        such as a shell without the service's environment: nothing is changed.

        :raise UserError: when secrets are stored, and this server has no usable key
        """
        result = super().init()
        if self._abstract:
            # of the account alone, which has a table
            return result
        self.env.cr.execute(
            "SELECT FROM amazon_seller_account WHERE lwa_client_secret_sealed IS NOT"
            " NULL OR lwa_refresh_token_sealed IS NOT NULL LIMIT 1"
        )
        if self.env.cr.rowcount:
            try:
                check_keys()
            except (KeyMissing, KeyUnusable) as error:
                raise UserError(
                    self.env._("Nothing was updated. %s", self._describe_sealing(error))
                ) from None
        return result

    # === COMPUTE METHODS === #

    def _compute_entered(self):
        """Show nothing: secrets are entered here, and never read."""
        self.lwa_client_secret = self.lwa_refresh_token = False

    def _inverse_lwa_client_secret(self):
        self._keep_secret("lwa_client_secret")

    def _inverse_lwa_refresh_token(self):
        self._keep_secret("lwa_refresh_token")

    @api.depends("lwa_client_secret")
    def _compute_lwa_client_secret_date(self):
        today = fields.Date.context_today(self)
        for account in self:
            is_set = account.lwa_client_secret or account.lwa_client_secret_sealed
            account.lwa_client_secret_date = is_set and today

    @api.depends("lwa_client_secret_sealed", "lwa_refresh_token_sealed")
    @api.depends_context("lang", "tz")
    def _compute_hints(self):
        for account in self:
            for name in ENTERED_SECRETS:
                account[f"{name}_hint"] = account._hint(name)

    @api.depends("lwa_client_secret_sealed", "lwa_refresh_token_sealed")
    @api.depends_context("lang")
    def _compute_secrets_problem(self):
        for account in self:
            account.secrets_problem = account._secrets_problem()

    @api.depends("lwa_client_secret_sealed", "lwa_refresh_token_sealed")
    def _compute_is_reencryption_due(self):
        for account in self:
            account.is_reencryption_due = account._is_reencryption_due()

    # === CRUD METHODS === #

    def write(self, vals):
        """Override to forget Amazon's secrets where an account moves to the simulator:
        whoever sets its address must not be sent them. The same the other way round."""
        moved = self.browse()
        if "environment" in vals:
            to_simulator = vals["environment"] == "simulator"
            moved = self.filtered(lambda each: each._is_simulated() != to_simulator)
        result = super().write(vals)
        forgotten = [name for name in ENTERED_SECRETS if name not in vals]
        if moved and forgotten:
            moved.write(dict.fromkeys(forgotten, False))
        return result

    # === ACTION METHODS === #

    def action_reencrypt(self):
        """Encrypt the secrets again with the first key of this server, so that the
        other keys can be given up.

        :raise UserError: when one of them cannot be decrypted here
        """
        self.check_access("write")
        # sudo: the sealed texts are for nobody; nothing is opened here
        for account in self.sudo():
            try:
                account._reencrypt()
            except (KeyMissing, KeyUnusable, Unsealable) as error:
                raise UserError(account._describe_sealing(error)) from None
        self._journal_reencryption()
        return True

    # === BUSINESS METHODS === #

    def _secret(self, name):
        """Return a secret in plain, for the strict layer alone.

        :param str name: one of `SECRETS`
        :return: empty where it is not set
        :rtype: str
        :raise UnreadableSecret: when this server cannot decrypt it
        """
        self.ensure_one()
        sealed = self.sudo()[f"{name}_sealed"]
        if not sealed:
            return ""
        try:
            return unseal(self._place_of(name), sealed)
        except (KeyMissing, KeyUnusable, Unsealable) as error:
            message = self._describe_sealing(error)
            _logger.error("%s", message)
            raise UnreadableSecret(message) from None

    def _seal(self, name, value):
        """Return a secret as it is stored.

        :param str name: one of `SECRETS`
        :param str value: the secret; an empty one removes it
        :raise UserError: when this server has no key
        """
        self.ensure_one()
        if not value:
            return False
        try:
            return seal(self._place_of(name), value)
        except (KeyMissing, KeyUnusable) as error:
            raise UserError(self._describe_sealing(error)) from None

    def _keep_secret(self, name):
        """Store what was entered in a field, and forget it."""
        for account in self:
            sealed = account._seal(name, (account[name] or "").strip())
            # sudo: the sealed text is for nobody
            account.sudo()[f"{name}_sealed"] = sealed
        # Nothing that follows in this transaction finds it in the field.
        self.invalidate_recordset([name], flush=False)

    @api.model
    def _can_seal(self):
        """Whether this server has a key. The demo data asks."""
        try:
            check_keys()
        except (KeyMissing, KeyUnusable):
            return False
        return True

    def _place_of(self, name):
        """Return what a secret is bound to."""
        return [self.id, name, self._is_simulated()]

    def _is_simulated(self):
        return self.environment == "simulator"

    def _reencrypt(self):
        self.ensure_one()
        for name in ENTERED_SECRETS:
            sealed = self[f"{name}_sealed"]
            if sealed:
                self[f"{name}_sealed"] = reseal(sealed)
        # asked for anew when it is needed
        self.access_token_sealed = False

    def _forget_credentials(self):
        """Forget what Amazon lets this account in by."""
        self.sudo().write(
            {
                "lwa_client_secret_sealed": False,
                "lwa_refresh_token_sealed": False,
                "access_token_sealed": False,
                "access_token_expires_at": False,
            }
        )

    def _is_reencryption_due(self):
        try:
            return any(
                not is_under_first_key(sealed) for sealed in self._sealed_secrets()
            )
        except (KeyMissing, KeyUnusable, Unsealable):
            return False

    def _sealed_secrets(self):
        """Return the sealed texts of what people entered."""
        account_sudo = self.sudo()
        sealed = (account_sudo[f"{name}_sealed"] for name in ENTERED_SECRETS)
        return [text for text in sealed if text]

    def _secret_end(self):
        """Return the day after which Amazon refuses the client secret; False where
        there is none, or none of Amazon's.

        :rtype: date
        """
        made = self.lwa_client_secret_date
        if not made or not self.lwa_client_secret_sealed or self._is_simulated():
            return False
        return made + timedelta(days=SECRET_DAYS)

    def _journal_reencryption(self):
        self.env["amazon.audit.entry"]._append(
            [
                {
                    "company_id": account.company_id.id,
                    "account_id": account.id,
                    "event": "account",
                    "message": self.env._("Secrets encrypted again."),
                }
                for account in self
            ]
        )

    # === GETTERS === #

    def _secrets_problem(self):
        """Return the sentence that says why secrets cannot be kept or used on this
        server, or False."""
        try:
            check_keys()
            for name in ENTERED_SECRETS:
                sealed = self.sudo()[f"{name}_sealed"]
                if sealed:
                    unseal(self._place_of(name), sealed)
        except (KeyMissing, KeyUnusable, Unsealable) as error:
            return self._describe_sealing(error)
        return False

    def _hint(self, name):
        """Say whether a secret is set, without anything of it."""
        sealed = self.sudo()[f"{name}_sealed"]
        if not sealed:
            return self.env._("Not set")
        try:
            date = fields.Datetime.context_timestamp(self, sealed_at(sealed)).date()
        except (KeyMissing, KeyUnusable, Unsealable):
            return self.env._("Set, but cannot be decrypted here")
        return self.env._(
            "Set on %s. Enter a new one to replace it", format_date(self.env, date)
        )

    def _describe_sealing(self, error):
        """Say in words what is wrong with the keys, and what to do about it.

        :param Exception error: of `sealing`
        :rtype: str
        """
        settings = {
            "variable": KEYS_VARIABLE,
            "option": CONFIG_OPTION,
            "section": CONFIG_SECTION,
        }
        if isinstance(error, KeyMissing):
            return self.env._(
                "This server has no key to encrypt and decrypt the secrets of seller "
                "accounts. Make one with: %(command)s\nSet it on every Odoo server, as "
                "%(variable)s in its environment or as %(option)s in the section "
                "[%(section)s] of its configuration file, and restart Odoo.",
                command=MAKE_KEY,
                **settings,
            )
        if isinstance(error, KeyUnusable):
            return self.env._(
                "Key number %(number)s of this server (%(variable)s in its "
                "environment, or %(option)s in the section [%(section)s] of its "
                "configuration file) cannot be used: a key is 32 bytes in base64. Make "
                "one with: %(command)s",
                number=error.args[0],
                command=MAKE_KEY,
                **settings,
            )
        return self.env._(
            "The secrets of the account %(account)s cannot be decrypted on this "
            "server, so nothing is read or sent. Set the key that they were encrypted "
            "with (%(variable)s in the environment, or %(option)s in the section "
            "[%(section)s] of the configuration file) and restart Odoo, or enter the "
            "client secret and the refresh token again.",
            account=self.name,
            **settings,
        )

    def _describe_unreadable(self):
        """Return the sentence for agents about secrets that cannot be decrypted."""
        return self.env._(
            "The credentials of the account %s cannot be decrypted on this server, so "
            "nothing is read or sent; what waits goes on waiting. The seller account "
            "tells an administrator what to do.",
            self.name,
        )


class AmazonCheckSecrets(models.AbstractModel):
    """Looks at the secrets of the accounts."""

    _name = "amazon.check.secrets"
    _inherit = "amazon.check"
    _description = "Amazon Checks of Secrets"

    _checks = (
        Check(
            "secrets",
            _lt("Secrets cannot be decrypted"),
            on_panel=True,
            explains_waiting=True,
        ),
        Check("secret_due", _lt("Client secret ends in a month")),
        Check("secret_near", _lt("Client secret ends in a week")),
        Check("secret_over", _lt("Client secret has ended")),
    )

    def _find_secrets(self, accounts):
        """Secrets are there that this server cannot decrypt."""
        return [
            # what to do about it is for administrators, and stands on the account
            Finding(account, 1, account._describe_unreadable())
            for account in accounts
            if account._sealed_secrets() and account._secrets_problem()
        ]

    def _find_secret_due(self, accounts):
        """The client secret ends in a month."""
        return self._find_aged_secrets(accounts, SECRET_DUE_DAYS, SECRET_NEAR_DAYS)

    def _find_secret_near(self, accounts):
        """The client secret ends in a week. Told again, since it is urgent now."""
        return self._find_aged_secrets(accounts, SECRET_NEAR_DAYS, 0)

    def _find_secret_over(self, accounts):
        """The client secret is older than Amazon accepts."""
        return self._find_aged_secrets(accounts, 0, None)

    def _find_aged_secrets(self, accounts, at_most, more_than):
        """Find the client secrets that end so soon.

        :param int at_most: days that are left
        :param int more_than: and more than these; None for any
        """
        today = fields.Date.context_today(self)
        found = []
        # sudo: the watch may run as somebody who may not see the fields
        for account in accounts.sudo():
            end = account._secret_end()
            left = end and (end - today).days
            if end and left <= at_most and (more_than is None or left > more_than):
                since = fields.Datetime.to_datetime(end - timedelta(days=at_most))
                message = self._describe_age(account, end, left)
                found.append(Finding(account, 1, message, since))
        return found

    def _describe_age(self, account, end, left):
        values = {"account": account.name, "date": format_date(self.env, end)}
        if left > 0:
            return self.env._(
                "The client secret of the account %(account)s ends on %(date)s; Amazon "
                "refuses the application after that. Rotate it in Seller Central "
                "(Apps and Services, Develop Apps) and enter the new one here within "
                "seven days. The refresh token stays as it is.",
                **values,
            )
        return self.env._(
            "The client secret of the account %(account)s ended on %(date)s: Amazon "
            "refuses an application whose secret is older than %(days)s days. Rotate "
            "it in Seller Central (Apps and Services, Develop Apps) and enter the new "
            "one here.",
            days=SECRET_DAYS,
            **values,
        )
