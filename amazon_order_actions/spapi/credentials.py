"""Who calls (LWA credentials) and where (endpoints); nothing is looked up elsewhere."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .errors import IncompleteCredentials

#: "Endpoints", Amazon's Developer Guide; the sandbox has the prefix ``sandbox.``.
REGIONS = ("na", "eu", "fe")

#: Login with Amazon; one address for all regions and for the sandbox.
LWA_TOKEN_URL = "https://api.amazon.com/auth/o2/token"  # noqa: S105 - an address

#: Amazon gives presigned URLs of its S3 buckets for feed documents and does not
#: document the names of the buckets (seen: tortuga-prod-na.s3-external-1,
#: tortuga-prod-eu.s3-eu-west-1, tortuga-prod-fe.s3-us-west-2), so any S3 host will do.
S3_HOSTS = r"[a-z0-9][a-z0-9.-]*\.s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com"


@dataclass(frozen=True)
class Credentials:
    """LWA credentials of one authorisation of a seller; refuses empty parts.

    :raises IncompleteCredentials: a part is empty, no text, or holds white space or
        a control character (a copy that went wrong)
    """

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)

    def __post_init__(self):
        for name in ("client_id", "client_secret", "refresh_token"):
            value = getattr(self, name)
            if not value or not isinstance(value, str):
                raise IncompleteCredentials(
                    f"The {name} of the Amazon credentials is missing."
                )
            if not re.fullmatch(r"[\x21-\x7e]+", value):
                raise IncompleteCredentials(
                    f"The {name} of the Amazon credentials holds a space or another "
                    "character that Amazon never uses there; copy it again."
                )

    def __repr__(self):
        return "Credentials(***)"


@dataclass(frozen=True)
class Endpoint:
    """Addresses of one environment.

    :param str api_url: base address of SP-API, without a path
    :param str token_url: address of the LWA token service
    :param tuple document_hosts: regular expressions; a presigned URL is used only
        when its host (with the port, where it names one) matches one of them fully
    :param bool is_simulator: allows plain HTTP and ignores the machine's proxies;
        True only for `simulator`
    :raises ValueError: an address is not one of HTTPS, or has parts it must not have
    """

    api_url: str
    token_url: str
    document_hosts: tuple
    is_simulator: bool = False

    def __post_init__(self):
        schemes = ("https", "http") if self.is_simulator else ("https",)
        for address in (self.api_url, self.token_url):
            parts = urlsplit(address)
            if parts.scheme not in schemes or not parts.hostname or parts.username:
                raise ValueError(
                    f"An address of Amazon must look like {schemes[0]}://host, "
                    "without a user name."
                )
        if urlsplit(self.api_url).path or urlsplit(self.api_url).query:
            raise ValueError("The address of SP-API must have no path and no query.")

    @classmethod
    def for_region(cls, region, sandbox=False):
        """Amazon's own addresses.

        :param str region: ``na``, ``eu`` or ``fe``
        :param bool sandbox: Amazon's static sandbox instead of production
        :raises ValueError: no such region
        """
        if region not in REGIONS:
            raise ValueError(f"Amazon has no region {region!r}; known: na, eu, fe.")
        prefix = "sandbox." if sandbox else ""
        return cls(
            api_url=f"https://{prefix}sellingpartnerapi-{region}.amazon.com",
            token_url=LWA_TOKEN_URL,
            document_hosts=(S3_HOSTS,),
        )

    @classmethod
    def simulator(cls, url):
        """A stand-in for Amazon that serves everything on one address.

        :param str url: such as ``http://127.0.0.1:8099``
        """
        base = url.rstrip("/")
        return cls(
            api_url=base,
            token_url=f"{base}/auth/o2/token",
            document_hosts=(re.escape(urlsplit(base).netloc.lower()),),
            is_simulator=True,
        )
