from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_datetime, format_duration

from ...spapi.credentials import IncompleteCredentials
from ...spapi.enums import FEED_CANCEL, FEED_REFUND
from ...spapi.errors import (
    MalformedAnswer,
    NotSent,
    OutcomeUnknown,
    Refused,
    SpApiError,
    Throttled,
)
from ...spapi.marketplaces import MARKETPLACES
from ..base.background import in_own_transaction
from ..secrets.credentials import AUTHORISATION

# A well-formed number that no order has: Amazon's answer to it (not found) proves
# that the account may read orders, without reading any.
NO_SUCH_ORDER = "000-0000000-0000000"

# The role of the application that opens each capability, as Seller Central calls it.
# Sources: "Roles in the Selling Partner API" and the pages of the operations, for the
# marketplaces
# https://developer-docs.amazon.com/sp-api/docs/get-seller-market-participation
ROLES = {
    "sellers": "Finance and Accounting",
    "orders": "Inventory and Order Tracking",
    "feeds": "Inventory and Order Tracking",
    "finances": "Finance and Accounting",
    "messaging": "Buyer Communication",
}

# What Login with Amazon says of a client that it does not know, and of a token
# (RFC 6749, section 5.2). It says so whatever is asked for.
CLIENT_REFUSED, TOKEN_REFUSED = "invalid_client", "invalid_grant"
LOGIN_CODES = {CLIENT_REFUSED, TOKEN_REFUSED, "unauthorized_client"}


def is_unreadable(error):
    """Tell whether Amazon answered with success, but with nothing that can be read."""
    return isinstance(error, OutcomeUnknown) and error.http_status in range(200, 300)


def is_access_refused(error):
    """Tell whether a refusal is about who asks, not about what is asked.

    :param Refused error: what Amazon said
    """
    return error.is_authorisation_problem or error.http_status in (401, 403)


class AmazonSellerConnection(models.AbstractModel):
    """Test Connection: what Amazon lets an account do, in words with what to do."""

    _name = "amazon.seller.connection"
    _description = "Amazon Connection of a Seller Account"

    # === COMPUTE METHODS === #

    @api.depends(
        "capability_ids.state", "capability_ids.message", "environment", "region"
    )
    @api.depends_context("lang", "tz")
    def _compute_connection_answer(self):
        for account in self:
            account.connection_answer = bool(account._origin) and (
                account._connection_answer()
            )

    # === CRUD METHODS === #

    def write(self, vals):
        """Override to forget what Amazon has answered to somebody else."""
        result = super().write(vals)
        if AUTHORISATION & set(vals):
            self.sudo().capability_ids.unlink()
        return result

    # === ACTION METHODS === #

    def action_test_connection(self):
        """Ask Amazon for what each capability needs; the account shows the answer.

        Only reads, so that Odoo may run it twice.

        :raise UserError: when something is missing without which nobody can ask
        """
        self.ensure_one()
        self.check_access("write")
        missing = self._connection_problem()
        if missing:
            raise UserError(missing)
        try:
            client = self._client()
        except (IncompleteCredentials, NotSent) as error:
            raise UserError(self._describe_error(error)) from None
        with client:
            results, participations = self._try_capabilities(client)
        # The access token was renewed in a transaction of its own, and lies on the
        # account's row: this one could write nothing that hangs on it any more.
        in_own_transaction(self, "_record_tested", results, participations)
        self.invalidate_recordset()
        return True

    # === BUSINESS METHODS === #

    def _try_capabilities(self, client):
        """Ask Amazon for what each capability needs.

        :param SellerClient client: of the account
        :return: state and sentence by capability, and the values of the marketplaces
        :rtype: tuple[dict, list]
        """
        entries = []
        calls = {
            "sellers": lambda: entries.extend(client.get_marketplace_participations()),
            "orders": lambda: client.get_order(NO_SUCH_ORDER),
            "feeds": lambda: client.get_feeds(
                [FEED_REFUND, FEED_CANCEL], fields.Datetime.now()
            ),
            "finances": lambda: client.list_financial_events(NO_SUCH_ORDER),
        }
        if self.messaging_enabled:
            calls["messaging"] = lambda: client.get_messaging_actions(
                NO_SUCH_ORDER, self._any_marketplace(entries)
            )
        results, refused = {}, None
        for capability, call in calls.items():
            # who is not let in at all need not ask five times
            error = refused or self._try_call(call)
            if isinstance(error, Refused) and error.code in LOGIN_CODES:
                refused = error
            results[capability] = self._capability_result(capability, error)
        return results, self._prepare_participations(entries)

    def _try_call(self, call):
        """Return the error that a call to Amazon ends with, or None. Not found is an
        answer, too: Amazon let us ask."""
        try:
            call()
        except Refused as error:
            return error if is_access_refused(error) else None
        except SpApiError as error:
            return error
        return None

    def _any_marketplace(self, entries):
        known = [entry["marketplace"]["id"] for entry in entries]
        known += self.participation_ids.mapped("marketplace")
        return next(name for name in [*known, *MARKETPLACES] if name in MARKETPLACES)

    def _capability_result(self, capability, error):
        if error is None:
            return "works", False
        state = "refused" if isinstance(error, Refused) else "unreachable"
        return state, self._describe_capability(capability, error)

    @api.model
    def _prepare_participations(self, entries):
        """Return the values of the marketplaces that Amazon says the seller sells in.

        :param entries: as Amazon answers to getMarketplaceParticipations
        :rtype: list[dict]
        """
        return [
            {
                "marketplace": entry["marketplace"]["id"],
                "is_participating": entry["participation"]["isParticipating"],
                "has_suspended_listings": entry["participation"][
                    "hasSuspendedListings"
                ],
            }
            for entry in entries
            if entry["marketplace"]["id"] in MARKETPLACES
        ]

    def _record_tested(self, results, participations):
        """Record what Amazon has answered to the test of the connection.

        The account's own row is left alone, since access tokens are written there at
        any moment. Of two tests at the same time one records its answer, which is as
        good as the other's.

        :param dict results: state and sentence of each capability
        :param participations: values of the marketplaces; of none, they stay as known
        """
        key = f"amazon_order_actions/tested/{self.id}"
        self.env.cr.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [key]
        )
        if not self.env.cr.fetchone()[0]:
            return
        now = fields.Datetime.now()
        self._replace(
            "capability_ids",
            [
                {
                    "capability": capability,
                    "state": state,
                    "message": message,
                    "checked_at": now,
                }
                for capability, (state, message) in results.items()
            ],
        )
        if participations:
            self._replace("participation_ids", participations)
        if results["orders"][0] == "works" and self.access_refused_at:
            # what the administrator has just mended counts at once
            self.access_refused_at = False

    def _replace(self, name, rows):
        """Replace the rows of a One2many without a write of the account's own row."""
        field = self._fields[name]
        self[name].unlink()
        self.env[field.comodel_name].create(
            [{field.inverse_name: self.id, **row} for row in rows]
        )

    # === WHAT IS SAID === #

    def _connection_problem(self):
        """Return the sentence that says what is missing on our side before anybody can
        ask Amazon, or False."""
        self.ensure_one()
        if self._is_environment_missing():
            return self._describe_environment_missing()
        missing = self._missing_credentials()
        if missing:
            return self.env._(
                "Not entered yet: %s. Seller Central shows them under Apps and "
                "Services, Develop Apps.",
                ", ".join(missing),
            )
        return self._secrets_problem()

    def _missing_credentials(self):
        """Return what people call those of the three that are not entered yet."""
        account_sudo = self.sudo()
        entered = {
            "lwa_client_id": account_sudo.lwa_client_id,
            "lwa_client_secret": account_sudo.lwa_client_secret_sealed,
            "lwa_refresh_token": account_sudo.lwa_refresh_token_sealed,
        }
        return [
            self._fields[name]._description_string(self.env)
            for name, value in entered.items()
            if not value
        ]

    @api.model
    def _capability_labels(self):
        """Return what people call the capabilities, by their keys."""
        field = self.env["amazon.seller.capability"]._fields["capability"]
        return dict(field._description_selection(self.env))

    def _connection_answer(self):
        """Return what is known of the connection, as the account shows it at its top.

        :rtype: Markup
        """
        problem = self._connection_problem()
        rows = self.capability_ids
        if problem:
            return self._answer("warning", problem)
        if not rows:
            untested = self.env._(
                "Not tested yet. Test Connection asks Amazon what this account may do, "
                "and changes nothing there."
            )
            return self._answer("info", untested)
        style, sentence = self._connection_headline(rows)
        tested = format_datetime(self.env, max(rows.mapped("checked_at")))
        lines = [self.env._("Tested on %s.", tested)]
        if self.environment == "sandbox":
            lines.append(
                self.env._(
                    "This is the sandbox of Amazon: it answers with fixed examples, "
                    "and knows none of your orders."
                )
            )
        return self._answer(style, " ".join([sentence, *lines]), self._said(rows))

    @api.model
    def _connection_headline(self, rows):
        """Return a style and the sentence that sums up the capabilities."""
        states = set(rows.mapped("state"))
        if states == {"works"}:
            return "success", self.env._(
                "Amazon lets this account in, and everything works."
            )
        if "works" in states:
            return "warning", self.env._(
                "Amazon lets this account in, but not everything works."
            )
        if states == {"unreachable"}:
            return "warning", self.env._("Nobody answered, so nothing is known yet.")
        return "danger", self.env._("Amazon does not let this account in.")

    @api.model
    def _said(self, rows):
        """Return the lines of the capabilities; where all say the same, one."""
        messages = set(rows.mapped("message"))
        if len(messages) == 1 and all(messages):
            return [("", messages.pop())]
        labels = self._capability_labels()
        return [
            (labels[row.capability], row.message or self.env._("works")) for row in rows
        ]

    @api.model
    def _answer(self, style, headline, lines=()):
        """Return a coloured box with a headline, and a line for each pair of a label
        and a sentence."""
        items = Markup().join(
            Markup("<li>%s%s</li>")
            % (label and Markup("<strong>%s</strong>: ") % label, sentence)
            for label, sentence in lines
        )
        return Markup('<div class="alert alert-%s mb-0" role="status">%s%s</div>') % (
            style,
            headline,
            items and Markup('<ul class="mb-0">%s</ul>') % items,
        )

    def _describe_capability(self, capability, error):
        """Say what is wrong with one capability, and what to do about it.

        :param str capability: key of `ROLES`
        :param SpApiError error: what the strict layer raised
        :rtype: str
        """
        if isinstance(error, Refused):
            return self._describe_refused(capability, error)
        detail = str(error)
        if isinstance(error, Throttled):
            return self.env._(
                "Amazon's quota for this is used up at the moment, and nothing is "
                "wrong with the account. Test the connection again in %s (minutes and "
                "seconds).",
                format_duration(max(error.wait, 1) / 60),
            )
        if isinstance(error, MalformedAnswer) or is_unreadable(error):
            return self.env._(
                "Amazon's answer could not be read (%s). Test the connection again; "
                "where it stays so, report this sentence to who maintains this addon.",
                detail,
            )
        if self._is_simulated():
            return self.env._(
                "Nothing answers at %(url)s. Start the simulator there, or correct the "
                "address.",
                url=self.simulator_url,
            )
        if isinstance(error, OutcomeUnknown):
            return self.env._(
                "Amazon did not answer as it should (%s). Test the connection again in "
                "some minutes.",
                detail,
            )
        return self.env._(
            "%(url)s could not be reached from this server (%(detail)s). Check that "
            "its firewall and proxy allow HTTPS to there.",
            url=self._endpoint().api_url,
            detail=detail,
        )

    def _describe_refused(self, capability, error):
        """Say why Amazon refuses, and what to change there."""
        if error.code == CLIENT_REFUSED:
            return self.env._(
                "Amazon does not accept this client ID with this client secret. Copy "
                "both again from Seller Central, Apps and Services, Develop Apps, LWA "
                "credentials: View. A secret that was replaced there is of no use any "
                "more."
            )
        if error.code == TOKEN_REFUSED:
            return self.env._(
                "Amazon does not accept the refresh token: it was withdrawn, is not "
                "complete, or belongs to another application. Authorise the "
                "application in Seller Central (Apps and Services, Develop Apps, "
                "Authorize) and enter the refresh token that it shows."
            )
        if error.code in LOGIN_CODES:
            return self.env._(
                "Amazon does not let this application log in. Check in Seller Central, "
                "Apps and Services, Develop Apps, that it is a private application for "
                "sellers, and that it is not a draft."
            )
        sentences = [
            self.env._(
                "Amazon refuses it (%(detail)s). The application needs the role "
                "%(role)s: add it in Seller Central (Apps and Services, Develop Apps, "
                "Edit App), then authorise the application again and enter the new "
                "refresh token here. Check the region, too: %(region)s.",
                detail=str(error),
                role=ROLES[capability],
                region=self._region_name(),
            )
        ]
        sentences += filter(None, [self._meanwhile(capability)])
        return " ".join(sentences)

    def _region_name(self):
        regions = dict(self._fields["region"]._description_selection(self.env))
        return regions.get(self.region) or self.env._("none is chosen")

    def _meanwhile(self, capability):
        """Return what it means that a capability is refused, or False."""
        return {
            "sellers": self.env._(
                "Until then enter the marketplaces yourself, below under Marketplaces."
            ),
            "finances": self.env._(
                "Until then every refund needs a second person, since nobody can see "
                "what was refunded before."
            ),
            "messaging": self.env._(
                "Until then write to buyers by mail, and switch off the messages "
                "through Amazon's API."
            ),
        }.get(capability)
