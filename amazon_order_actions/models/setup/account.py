from odoo import api, models
from odoo.tools import LazyTranslate

from ..account.setup import IN_ORDER, LOOK, TO_DO, WRONG, SetupCheck
from ..secrets.sealing import KeyMissing, KeyUnusable, check_keys

_lt = LazyTranslate(__name__)


class AmazonSetupStepNeeds(models.AbstractModel):
    """What must be at hand before anything is entered."""

    _name = "amazon.setup.step.needs"
    _inherit = "amazon.setup.step"
    _description = "Amazon Set-Up: What You Need"

    _place = 10
    _label = _lt("What you need")

    @api.model
    def _checks(self, account):
        """Override: a key on this server."""
        return [self._check_key(account)]

    @api.model
    def _check_key(self, account):
        """Look whether this server can encrypt secrets."""
        title = self.env._("Encryption key")
        try:
            check_keys()
        except (KeyMissing, KeyUnusable) as error:
            return SetupCheck(WRONG, title, account._describe_sealing(error))
        return SetupCheck(
            IN_ORDER,
            title,
            self.env._("This server has a key that secrets are encrypted with."),
        )


class AmazonSetupStepPlace(models.AbstractModel):
    """Where the account is."""

    _name = "amazon.setup.step.place"
    _inherit = "amazon.setup.step"
    _description = "Amazon Set-Up: Region and Environment"

    _place = 20
    _label = _lt("Region and environment")

    @api.model
    def _checks(self, account):
        """Override: whether both are chosen, and what that means."""
        title = self.env._("Region and environment")
        if account._is_environment_missing():
            sentence = self.env._(
                "Choose both. Until then nothing is asked of Amazon or sent to it. "
                "Production is the real shop, where refunds move money; the sandbox of "
                "Amazon and the simulator are there to try it out."
            )
            return [SetupCheck(TO_DO, title, sentence)]
        if account.environment == "production":
            sentence = self.env._(
                "This is the real shop: what people ask for from now on moves money."
            )
            return [SetupCheck(LOOK, title, sentence)]
        if account.environment == "sandbox":
            sentence = self.env._(
                "This is the sandbox of Amazon: it answers with fixed examples, and "
                "knows none of your orders. Nothing moves money."
            )
            return [SetupCheck(LOOK, title, sentence)]
        sentence = self.env._(
            "This is the simulator at %s. Nothing reaches Amazon.",
            account.simulator_url,
        )
        return [SetupCheck(IN_ORDER, title, sentence)]


class AmazonSetupStepCredentials(models.AbstractModel):
    """The three credentials of a private application."""

    _name = "amazon.setup.step.credentials"
    _inherit = "amazon.setup.step"
    _description = "Amazon Set-Up: Credentials"

    _place = 30
    _label = _lt("Credentials")

    @api.model
    def _checks(self, account):
        """Override: whether all three are there and can be read."""
        title = self.env._("Credentials")
        missing = account._missing_credentials()
        if missing:
            return [
                SetupCheck(
                    TO_DO, title, self.env._("Not entered yet: %s.", ", ".join(missing))
                )
            ]
        problem = account._secrets_problem()
        if problem:
            return [SetupCheck(WRONG, title, problem)]
        return [
            SetupCheck(
                IN_ORDER,
                title,
                self.env._(
                    "All three are here, the two secrets encrypted. Nobody can read "
                    "them any more, not even you."
                ),
            )
        ]


class AmazonSetupStepConnection(models.AbstractModel):
    """What Amazon lets the account do."""

    _name = "amazon.setup.step.connection"
    _inherit = "amazon.setup.step"
    _description = "Amazon Set-Up: Connection"

    _place = 40
    _label = _lt("Connection")

    @api.model
    def _enter(self, account):
        """Override to test it at once where it was not tested yet."""
        if not account.capability_ids and not account._connection_problem():
            account.action_test_connection()

    @api.model
    def _checks(self, account):
        """Override: each capability, as Amazon answered when it was asked last."""
        problem = account._connection_problem()
        if problem:
            return [SetupCheck(TO_DO, self.env._("Connection"), problem)]
        if not account.capability_ids:
            return [
                SetupCheck(
                    TO_DO,
                    self.env._("Connection"),
                    self.env._("Not tested yet. Click Test Connection."),
                )
            ]
        labels = account._capability_labels()
        return [
            SetupCheck(
                IN_ORDER if row.state == "works" else WRONG,
                labels[row.capability],
                row.message or self.env._("Works."),
            )
            for row in account.capability_ids
        ]


class AmazonSetupStepMarketplaces(models.AbstractModel):
    """Where the seller sells."""

    _name = "amazon.setup.step.marketplaces"
    _inherit = "amazon.setup.step"
    _description = "Amazon Set-Up: Marketplaces"

    _place = 50
    _label = _lt("Marketplaces")

    @api.model
    def _checks(self, account):
        """Override: whether any is known, and whether listings are suspended."""
        title = self.env._("Marketplaces")
        rows = account.participation_ids.filtered("is_participating")
        if not rows:
            sentence = self.env._(
                "None is known. A test of the connection loads them; where Amazon "
                "refuses that, add them here yourself."
            )
            return [SetupCheck(TO_DO, title, sentence)]
        suspended = rows.filtered("has_suspended_listings")
        if suspended:
            sentence = self.env._(
                "Amazon has suspended listings in %s. Orders that are there already "
                "can be worked on all the same.",
                self._names(suspended),
            )
            return [SetupCheck(LOOK, title, sentence)]
        sentence = self.env._("You sell in %s.", self._names(rows))
        return [SetupCheck(IN_ORDER, title, sentence)]

    @api.model
    def _names(self, rows):
        names = dict(rows._fields["marketplace"]._description_selection(self.env))
        return ", ".join(names[row.marketplace] for row in rows)


class AmazonSetupStepRunner(models.AbstractModel):
    """Whether somebody runs the jobs: without it nothing leaves."""

    _name = "amazon.setup.step.runner"
    _inherit = "amazon.setup.step"
    _description = "Amazon Set-Up: Job Runner"

    _place = 70
    _label = _lt("Job runner")

    @api.model
    def _checks(self, account):
        """Override: whether a runner starts jobs; where not, why, and the lines to add
        for it."""
        title = self.env._("Job runner")
        trouble = self._trouble(account)
        if trouble:
            return [SetupCheck(WRONG, title, trouble.sentence)]
        return [
            SetupCheck(
                IN_ORDER,
                title,
                self.env._("A job runner is connected to this database."),
            )
        ]

    @api.model
    def _trouble(self, account):
        """Hook: return why no job would be started, or None.

        :rtype: watch.runner.Trouble | None
        """
        # sudo: how the server is configured, for who connects an account
        runner_sudo = self.env["amazon.check.runner"].sudo()
        return runner_sudo.with_company(account.company_id)._trouble_now()
