import time
from datetime import datetime, timezone

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ...spapi.client import SellerClient
from ...spapi.credentials import Credentials, Endpoint, IncompleteCredentials
from ...spapi.envelopes import is_seller_id
from ...spapi.errors import (
    MalformedAnswer,
    NotSent,
    OutcomeUnknown,
    Refused,
    Throttled,
)
from ...spapi.operations import OPERATIONS
from ..base.fetching import fetch_along
from ..base.groups import ADMIN
from ..base.private_log import private_logger
from ..secrets.credentials import (
    AUTHORISATION,
    CREDENTIALS,
    ENTERED_SECRETS,
    IDENTITY,
    UnreadableSecret,
)
from .connection import is_access_refused, is_unreadable
from .quota import QuotaStore

_logger = private_logger(__name__)


# All that decides what happens with money, mail and secrets.
JOURNALED = AUTHORISATION | {
    "name",
    "active",
    "lwa_client_secret_date",
    "approved_sender",
    "shop_name",
    "messaging_enabled",
    "fba_refund_by_feed",
    "cancel_by_rest",
    "cancel_in_odoo",
    "credit_note_on",
    "breaker_amount",
    "approval_hours",
    "refund_reason",
    "cancel_reason",
    "cancel_items_reason",
}

# Seconds that a token at hand must still be valid, so that the database is asked for a
# newer one in time: the strict layer wants 300 for a call that cannot be repeated.
AT_HAND_SECONDS = 400


# What is read where somebody asks for something: of the account, its company and the
# company's contact; of the user and the user's contact. What is missing here is read by
# Odoo when it is needed, with all columns of the record.
READ_OF_CURRENCY = (
    "active",
    "decimal_places",
    "name",
    "position",
    "rounding",
    "symbol",
)
READ_TO_ASK = {
    "": ("company_id", "seller_id"),
    "company_id": (
        "alias_domain_id",
        "amazon_tz",
        "currency_id",
        "parent_path",
        "partner_id",
    ),
    "company_id.currency_id": READ_OF_CURRENCY,
    "company_id.partner_id": ("lang",),
}
READ_OF_USER = {
    "": ("active", "login", "partner_id"),
    "partner_id": ("email", "lang", "name", "tz"),
}


class EnvironmentMissing(IncompleteCredentials):
    """Nobody has chosen a region or an environment, so nothing is called."""


class AmazonSellerAccount(models.Model):
    """One authorisation of a seller: who we are at Amazon, and with what rights."""

    _name = "amazon.seller.account"
    _inherit = [
        "amazon.seller.credentials",
        "amazon.seller.environment",
        "amazon.seller.connection",
        "amazon.seller.setup",
        "amazon.seller.sample",
        "amazon.seller.settings",
        "amazon.seller.held",
        "amazon.seller.moments",
        "amazon.stays.in.company",
        "amazon.company.name",
    ]
    _description = "Amazon Seller Account"
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company,
        index=True,
    )
    seller_id = fields.Char(
        "Seller ID",
        required=True,
        help="Also called Merchant Token. Seller Central shows it under Settings, "
        "Account Info.",
    )
    # Neither has a default: nobody calls a real shop by accident.
    region = fields.Selection(
        [("na", "North America"), ("eu", "Europe"), ("fe", "Far East")],
        help="Where the seller account is. Each region has an account of its own here.",
    )
    environment = fields.Selection(
        [
            ("production", "Production"),
            ("sandbox", "Sandbox of Amazon"),
            ("simulator", "Simulator"),
        ],
        help="Production is the real shop: what is sent there moves money. The sandbox "
        "of Amazon answers with fixed examples. The simulator is for demonstration and "
        "tests. As long as none is chosen, nothing is asked of Amazon or sent to it.",
    )
    simulator_url = fields.Char("Simulator URL")
    access_token_expires_at = fields.Datetime(groups=fields.NO_ACCESS, copy=False)
    participation_ids = fields.One2many("amazon.seller.participation", "account_id")
    capability_ids = fields.One2many(
        "amazon.seller.capability", "account_id", readonly=True
    )
    watermark_ids = fields.One2many(
        "amazon.watermark",
        "account_id",
        readonly=True,
        groups="amazon_order_actions.group_admin,amazon_order_actions.group_journal",
    )

    notice = fields.Text(compute="_compute_notice", compute_sudo=True)

    # In one company only: two would each promise the same money of an order.
    access_refused_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="Since when Amazon refuses who we are; empty where it lets us in.",
    )

    # computed by its parts
    environment_notice = fields.Text(compute="_compute_environment_notice")
    connection_answer = fields.Html(groups=ADMIN, compute="_compute_connection_answer")
    setup_steps = fields.Json(groups=ADMIN, compute="_compute_setup")
    setup_checks = fields.Html(groups=ADMIN, compute="_compute_setup")

    _sample_at_simulator = models.Constraint(
        "CHECK (NOT is_sample OR environment = 'simulator')",
        "A sample account stays at the simulator.",
    )
    _seller_uniq = models.Constraint(
        "unique(seller_id, region, environment)",
        "This seller is already connected in this region.",
    )

    # === COMPUTE METHODS === #

    @api.depends_context("lang")
    def _compute_notice(self):
        said = self.env["amazon.check"]._said_of(self)
        for account in self:
            account.notice = "\n".join(said[account])

    # === CONSTRAINT METHODS === #

    @api.constrains("environment", "simulator_url")
    def _check_simulator_url(self):
        for account in self.filtered(lambda a: a.environment == "simulator"):
            try:
                account._endpoint()
            except ValueError:
                raise ValidationError(
                    self.env._(
                        "The account %s is on the simulator: enter its address, such "
                        "as http://127.0.0.1:28070.",
                        account.name,
                    )
                ) from None

    @api.constrains("seller_id")
    def _check_seller_id(self):
        for account in self:
            if not is_seller_id(account.seller_id):
                raise ValidationError(
                    self.env._(
                        "%(seller)s is not a seller ID: it has only letters and "
                        "digits, such as A2EXAMPLE1234. Copy it from Seller Central, "
                        "Settings, Account Info (Merchant Token).",
                        seller=account.seller_id,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override to journal that a seller was connected, and with which settings."""
        accounts = super().create([_without_blanks(vals) for vals in vals_list])
        accounts._journal_existence(
            lambda name: self.env._("The seller account %s was connected.", name),
            "value_after",
        )
        return accounts

    @api.ondelete(at_uninstall=False)
    def _unlink_journal(self):
        self._journal_existence(
            lambda name: self.env._("The seller account %s was deleted.", name),
            "value_before",
        )

    def write(self, vals):
        """Override to journal what decides who sends what where, to forget what another
        authorisation was given and how far another seller's lists were read, and to
        send what waited in an archived account, or for another seller id."""
        vals = _without_blanks(vals)
        changed = JOURNALED & set(vals)
        waiting = self.filtered(lambda a: not a.active or a._sending_problem())
        before = self._journaled_values(changed)
        result = super().write(vals)
        if AUTHORISATION & set(vals):
            self.sudo().write({"access_token_sealed": False})
        if IDENTITY & set(vals):
            self.sudo().watermark_ids.unlink()
        if changed:
            self._journal_change(before)
        waiting.filtered("active")._resume_sending()
        return result

    def _held_from(self, company):
        """Override: what names an account stays in its company, and must not be read
        with another company's secrets."""
        naming = [("account_id", "=", self.id), ("company_id", "!=", company.id)]
        is_named = any(
            self.env[model]
            .with_context(active_test=False)
            .search_count(naming, limit=1)
            for model in self._held_by()
        )
        return is_named and self.env._(
            "The account %(account)s cannot move to another company: orders, actions, "
            "stops or rows of the matrix name it, and stay where they are. Work on "
            "this seller's orders there.",
            account=self.name,
        )

    @api.model
    def _held_by(self):
        """Return the models that say of themselves, by ``_keeps_account``, that what
        names an account keeps it in its company.

        :rtype: list[str]
        """
        return [
            name
            for name, model in self.env.registry.items()
            if getattr(model, "_keeps_account", False)
        ]

    # === BUSINESS METHODS === #

    def _note_access(self, error):
        """Keep in mind whether Amazon lets this account in, as a call has just shown.

        :param Exception error: what the strict layer raised; None where the call worked
        """
        if error is None:
            self._set_access_refused(False)
        elif isinstance(error, EnvironmentMissing):
            pass  # Amazon was not asked
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

    @api.model
    def _candidates(self, company, marketplace=None):
        """Return the accounts that an order may belong to, the likeliest first; a
        sample only as long as there is no other.

        :param res.company company: the company that looks for the order
        :param str marketplace: id of the marketplace where it is known
        """
        # archived ones are not, whatever the context of a caller says
        accounts = self.search(
            Domain("active", "=", True) & Domain("company_id", "=", company.id)
        )
        accounts = accounts.filtered(lambda account: not account.is_sample) or accounts
        if not marketplace:
            return accounts
        likely = accounts.filtered(
            lambda account: (
                marketplace in account.participation_ids.mapped("marketplace")
            )
        )
        return likely | accounts

    def _client(self, quota=None):
        """Return the client that speaks to Amazon for this account; the caller closes
        it.

        :param QuotaStore quota: with prepaid calls, a new one when None
        :rtype: spapi.client.SellerClient
        :raise EnvironmentMissing: when nobody has chosen where the account is
        :raise IncompleteCredentials: when a credential is missing
        :raise NotSent: when this server cannot decrypt one
        """
        self.ensure_one()
        # where comes first: without it nothing else matters
        endpoint = self._endpoint()
        account_sudo = self.sudo()
        return SellerClient(
            Credentials(
                client_id=account_sudo.lwa_client_id or "",
                client_secret=account_sudo._secret("lwa_client_secret"),
                refresh_token=account_sudo._secret("lwa_refresh_token"),
            ),
            endpoint,
            AccessTokenStore(self.env.registry, self.id),
            quota=quota or self._quota(),
        )

    def _quota(self):
        """Return how often this account may call Amazon.

        :rtype: QuotaStore
        """
        self.ensure_one()
        return QuotaStore(self.env.registry, self.id)

    def _quota_wait(self, operation, tokens=1):
        """Return seconds until Amazon allows so many calls; takes nothing.

        :param str operation: Amazon's name of the operation
        :rtype: float
        """
        return self._quota().wait(OPERATIONS[operation], tokens)

    def _endpoint(self):
        """Return Amazon's addresses for this account.

        :rtype: spapi.credentials.Endpoint
        :raise EnvironmentMissing: when nobody has chosen where it is
        """
        if self._is_environment_missing():
            raise EnvironmentMissing("The account has no region or no environment.")
        if self.environment == "simulator":
            return Endpoint.simulator(self.simulator_url or "")
        return Endpoint.for_region(self.region, sandbox=self.environment == "sandbox")

    def _journaled_values(self, names):
        """Return the values of settings as the journal shows them; of secrets none.

        :param names: names of fields
        :return: by account and name
        :rtype: dict
        """
        return {
            account: {
                name: "***" if name in CREDENTIALS else str(account[name])
                for name in sorted(names)
            }
            for account in self
        }

    def _journaled_settings(self):
        """Return what is set as the journal shows it, one setting in a line; of secrets
        that they are set."""
        # sudo: whether there is a sealed text; it is not shown
        account_sudo = self.sudo()
        stored = {name: f"{name}_sealed" for name in ENTERED_SECRETS}
        names = {
            name
            for name in JOURNALED
            if account_sudo[stored.get(name, name)] is not False
        }
        return "\n".join(
            f"{self._fields[name]._description_string(self.env)}: {value}"
            for name, value in self._journaled_values(names)[self].items()
        )

    def _journal_existence(self, sentence, side):
        """Journal that accounts came or went, with all their settings. The entries do
        not refer to the accounts' rows, which could never be deleted again. Of samples
        nothing is journaled.

        :param sentence: function that says it of the account's name
        :param str side: the field of the entry that holds the settings
        """
        entries = [
            {
                "company_id": account.company_id.id,
                "event": "account",
                "seller_ref": account.seller_id,
                "message": sentence(account.name),
                side: account._journaled_settings(),
            }
            for account in self
            if not account.is_sample
        ]
        self.env["amazon.audit.entry"]._append(entries)

    def _journal_change(self, before):
        """Journal that settings were changed, each with its value before and after.

        :param dict before: what ``_journaled_values`` returned before the change
        """
        entries = []
        for account, values in before.items():
            after = account._journaled_values(values)[account]
            for name, value in values.items():
                entries.append(
                    {
                        "company_id": account.company_id.id,
                        "account_id": account.id,
                        "event": "account",
                        "value_before": value,
                        "value_after": after[name],
                        "message": self.env._(
                            "%(field)s changed: %(value)s",
                            field=account._fields[name]._description_string(self.env),
                            value=after[name],
                        ),
                    }
                )
        self.env["amazon.audit.entry"]._append(entries)

    def _resume_sending(self, kind=False):
        """Hook: let go on what waits for these accounts.

        :param str kind: kind of action, all where False
        """

    # === GETTERS === #

    def _fetch_to_ask(self, currency):
        """Read what every kind of action needs of the account, of its company and of
        who asks: all of these records would be more than all the rest.

        :param res.currency currency: of the order; empty where it is not known
        """
        fetch_along(
            self,
            READ_TO_ASK,
            (self.env.user.sudo(), READ_OF_USER),
            (currency.sudo(), {"": READ_OF_CURRENCY}),
        )

    def _sending_problem(self):
        """Return what an administrator must mend before a feed of this account can be
        made, or False. What waits goes on waiting until then."""
        self.ensure_one()
        if self._is_environment_missing():
            return self._describe_environment_missing()
        return not is_seller_id(self.seller_id) and self.env._(
            "Nothing is sent for the account %(account)s: Amazon's form does not take "
            "its seller ID. An administrator must correct it under Amazon > "
            "Configuration > Seller Accounts.",
            account=self.name,
        )

    def _describe_error(self, error, subject=None):
        """Say in one sentence what went wrong and what to do about it.

        :param Exception error: what the strict layer raised
        :param str subject: the Amazon order number that was asked for
        :rtype: str
        """
        values = {"account": self.name, "subject": subject or "", "detail": str(error)}
        if isinstance(error, UnreadableSecret):
            return self._describe_unreadable()
        if isinstance(error, EnvironmentMissing):
            return self._describe_environment_missing()
        if isinstance(error, IncompleteCredentials):
            return self.env._(
                "The account %(account)s has no complete credentials. An "
                "administrator must enter them under Amazon > Configuration > Seller "
                "Accounts.",
                **values,
            )
        if isinstance(error, MalformedAnswer) or is_unreadable(error):
            return self.env._(
                "Amazon's answer about %(subject)s could not be read (%(detail)s). "
                "Look it up in Seller Central.",
                **values,
            )
        if isinstance(error, Throttled):
            return self.env._(
                "Amazon's quota for the account %(account)s is used up at the moment. "
                "It is tried again by itself; Refresh does so now.",
                **values,
            )
        if isinstance(error, Refused) and error.http_status == 404:
            return self.env._(
                "Amazon does not know the order %(subject)s in the seller accounts of "
                "this company. Check the number.",
                **values,
            )
        if isinstance(error, Refused) and is_access_refused(error):
            return self.env._(
                "Amazon refused access to the account %(account)s (%(detail)s). An "
                "administrator must check the roles of the application and authorise "
                "it again.",
                **values,
            )
        if isinstance(error, Refused):
            return self.env._("Amazon refused the request: %(detail)s", **values)
        if isinstance(error, NotSent | OutcomeUnknown):
            return self.env._(
                "Amazon could not be reached or did not answer. Try again with "
                "Refresh.",
                **values,
            )
        return str(error)


def _without_blanks(vals):
    """Return values of an account, with the seller id as it is: people copy it with the
    blanks around it."""
    if isinstance(vals.get("seller_id"), str):
        return {**vals, "seller_id": vals["seller_id"].strip()}
    return vals


class AccessTokenStore:
    """Keeps the access token of one account in its row, where all workers find it.

    In a cursor of its own: the token stays valid when the caller's transaction is
    rolled back, and no transaction waits for another's token. What was read stays at
    hand for as long as the client lives, so that a call that cannot be repeated does
    not depend on the database any more.

    :param registry: of the database
    :param int account_id: id of the account
    """

    def __init__(self, registry, account_id):
        self._registry = registry
        self._account_id = account_id
        self._at_hand = None

    def load(self):
        """Return (access token, seconds since 1970 at its end), or None."""
        if not self._at_hand or self._at_hand[1] < time.time() + AT_HAND_SECONDS:
            self._at_hand = self._load()
        return self._at_hand

    def _load(self):
        with self._registry.cursor() as cr:
            account = self._browse(cr)
            try:
                access_token = account._secret("access_token")
            except NotSent:
                # a new one is asked for, and takes its place
                return None
            if not access_token or not account.access_token_expires_at:
                return None
            expires_at = account.access_token_expires_at.replace(tzinfo=timezone.utc)
            return access_token, expires_at.timestamp()

    def save(self, access_token, expires_at):
        """Keep a token until ``expires_at``, in seconds since 1970."""
        moment = datetime.fromtimestamp(expires_at, timezone.utc).replace(
            tzinfo=None, microsecond=0
        )
        self._write(access_token, moment)
        self._at_hand = (access_token, expires_at)

    def clear(self):
        """Forget the token: Amazon does not accept it any more."""
        self._at_hand = None
        self._write(False, False)

    def _browse(self, cr):
        env = api.Environment(cr, SUPERUSER_ID, {})
        return env["amazon.seller.account"].browse(self._account_id)

    def _write(self, access_token, expires_at):
        """Write, unless another worker does: its token is as good as ours."""
        with self._registry.cursor() as cr:
            account = self._browse(cr).try_lock_for_update(allow_referencing=True)
            if account:
                sealed = account._seal("access_token", access_token)
                account.write(
                    {
                        "access_token_sealed": sealed,
                        "access_token_expires_at": expires_at,
                    }
                )
