"""Seller authorisations and the tokens of Login with Amazon (LWA)."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from . import marketplaces
from .errors import SeedError, unauthorized
from .operations import ALL_ROLES, AREA_ROLES

REGIONS = ("na", "eu", "fe")


@dataclass(frozen=True, repr=False)
class Authorisation:
    """One seller who authorised one application."""

    seller_id: str
    store_name: str
    client_id: str
    client_secret: str
    refresh_token: str
    region: str
    marketplaces: tuple
    missing_roles: frozenset = frozenset()

    @classmethod
    def from_seed(cls, seed):
        """Build an authorisation from its entry in the orders file.

        :raise SeedError: with a sentence that names the fault
        """
        seed = dict(seed)
        name = seed.get("seller_id", "?")
        try:
            authorisation = cls(
                seller_id=seed.pop("seller_id"),
                store_name=seed.pop("store_name", name),
                client_id=seed.pop("client_id"),
                client_secret=seed.pop("client_secret"),
                refresh_token=seed.pop("refresh_token"),
                region=seed.pop("region"),
                marketplaces=tuple(
                    marketplaces.lookup(key) for key in seed.pop("marketplaces")
                ),
                missing_roles=frozenset(seed.pop("missing_roles", ())),
            )
        except KeyError as error:
            raise SeedError(f"Authorisation {name}: {error} is missing.") from error
        except ValueError as error:
            raise SeedError(f"Authorisation {name}: {error}") from error
        unknown = sorted(seed) + sorted(authorisation.missing_roles - ALL_ROLES)
        if authorisation.region not in REGIONS:
            unknown.append(f"region {authorisation.region}")
        if unknown:
            raise SeedError(f"Authorisation {name}: unknown {', '.join(unknown)}.")
        return authorisation

    def may_use(self, area):
        """Tell whether the application has a role that opens this area."""
        return area is None or bool(AREA_ROLES[area] - self.missing_roles)

    def participations(self):
        """Return the model `MarketplaceParticipationList` of the Sellers API."""
        return [
            {
                "marketplace": {
                    "id": marketplace.id,
                    "name": marketplace.name,
                    "countryCode": marketplace.country,
                    "defaultCurrencyCode": marketplace.currency,
                    "defaultLanguageCode": marketplace.language,
                    "domainName": marketplace.domain,
                },
                "participation": {
                    "isParticipating": True,
                    "hasSuspendedListings": False,
                },
                "storeName": self.store_name,
            }
            for marketplace in self.marketplaces
        ]


class TokenError(Exception):
    """A refusal in LWA's own form (RFC 6749, section 5.2)."""

    def __init__(self, status, error, description):
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description

    def body(self):
        """Return the JSON body of the refusal."""
        return {"error_description": self.description, "error": self.error}


class TokenService:
    """Login with Amazon: gives access tokens and knows their holders.

    :param SimulatedClock clock: the clock by which tokens expire
    :param float seconds: how long a token lives, by that clock
    """

    def __init__(self, clock, seconds):
        self.clock = clock
        self.seconds = seconds
        self._tokens = {}

    def grant(self, form, authorisations):
        """Answer a token request.

        :param dict form: the request's form
        :param authorisations: every Authorisation
        :return: the JSON body
        :raise TokenError: as LWA refuses
        """
        client_id = _required(form, "client_id")
        secret = _required(form, "client_secret")
        own = [row for row in authorisations if row.client_id == client_id]
        if not any(row.client_secret == secret for row in own):
            raise TokenError(401, "invalid_client", "Client authentication failed")
        grant_type = _required(form, "grant_type")
        if grant_type == "refresh_token":
            return self._grant_refresh(_required(form, "refresh_token"), own)
        if grant_type == "client_credentials":
            return self._grant_grantless(_required(form, "scope"))
        raise TokenError(
            400,
            "unsupported_grant_type",
            "The authorization grant type is not supported by the authorization server",
        )

    def _grant_refresh(self, refresh_token, own):
        for authorisation in own:
            if authorisation.refresh_token == refresh_token:
                answer = self._issue(authorisation)
                return answer | {"refresh_token": refresh_token}
        raise TokenError(
            400,
            "invalid_grant",
            "The request has an invalid grant parameter : refresh_token",
        )

    def _grant_grantless(self, scope):
        if not scope.startswith("sellingpartnerapi::"):
            description = "The request has an invalid parameter : scope"
            raise TokenError(400, "invalid_scope", description)
        return self._issue(None) | {"scope": scope}

    def _issue(self, authorisation):
        """Make a token. `expires_in` is told in the caller's (real) seconds."""
        token = f"Atza|{secrets.token_urlsafe(48)}"
        expires = self.clock.now() + timedelta(seconds=self.seconds)
        self._tokens[token] = authorisation, expires
        return {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": max(1, int(self.seconds / self.clock.factor)),
        }

    def renew(self):
        """Let every token live its full time again, after the clock was restarted."""
        expires = self.clock.now() + timedelta(seconds=self.seconds)
        for token, (authorisation, _) in self._tokens.items():
            self._tokens[token] = authorisation, expires

    def holder(self, token):
        """Return the Authorisation that an access token stands for.

        :raise ApiError: 403 when it is missing, unknown, expired or grantless
        """
        if not token:
            raise unauthorized("Access token is missing in the request header.")
        authorisation, expires = self._tokens.get(token, (None, None))
        if expires and expires <= self.clock.now():
            raise unauthorized("The access token you provided has expired.")
        if authorisation is None:
            raise unauthorized(
                "The access token you provided is revoked, malformed or invalid."
            )
        return authorisation


def _required(form, name):
    value = form.get(name)
    if not value:
        description = f"The request is missing a required parameter : {name}"
        raise TokenError(400, "invalid_request", description)
    return value
