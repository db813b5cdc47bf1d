"""The kinds of failure that leave the strict layer, named by what a caller may do.

==================  ==========================================================
kind                what is known
==================  ==========================================================
``NotSent``         Amazon never got the request: safe to repeat
``Throttled``       stopped by a quota: safe to repeat after ``wait``
``Refused``         Amazon (or this layer) said no: final, repeating is useless
``OutcomeUnknown``  nobody can say: a write is never repeated, a read may be
``MalformedAnswer`` a read came back without a part that is needed
==================  ==========================================================
"""

#: Code of a `Refused` raised when Amazon did not accept the access token. The
#: operation was not executed, the stored token is gone, the next call gets a new one.
ACCESS_TOKEN_REJECTED = "AccessTokenRejected"  # noqa: S105 - a code

#: Codes that mean: the authorisation of the seller account needs a person.
#: LWA: RFC 6749 section 5.2 (`invalid_grant`, `invalid_client`,
#: `unauthorized_client`); SP-API: `Unauthorized` (role missing, access revoked).
AUTHORISATION_CODES = frozenset(
    {"invalid_grant", "invalid_client", "unauthorized_client", "Unauthorized"}
)


class SpApiError(Exception):
    """Base of all errors of this layer. Its text never holds a secret.

    :param str operation: Amazon's name of the operation, such as ``createFeed``
    :param str message: one sentence, from Amazon verbatim where there is one
    :param str code: Amazon's error code, or one of this layer
    :param int http_status: status of the answer, None when there was no answer
    :param str request_id: ``x-amzn-RequestId``, for a support case at Amazon
    """

    def __init__(
        self, operation, message, code=None, http_status=None, request_id=None
    ):
        super().__init__(operation, message, code, http_status, request_id)
        self.operation = operation
        self.message = message
        self.code = code
        self.http_status = http_status
        self.request_id = request_id

    def __str__(self):
        facts = [str(fact) for fact in (self.code,) if fact]
        if self.http_status:
            facts.append(f"HTTP {self.http_status}")
        if self.request_id:
            facts.append(f"request {self.request_id}")
        return f"{self.operation}: {self.message}" + (
            f" ({', '.join(facts)})" if facts else ""
        )


class NotSent(SpApiError):
    """The request provably did not reach Amazon; it may be sent again."""


class Throttled(SpApiError):
    """The quota is used up; the request was not executed.

    :param float wait: seconds until one more request of this operation is allowed
    :param bool local: True when our own count of the quota stopped it, so that nothing
        was sent; False when Amazon refused it (HTTP 429)
    """

    def __init__(self, operation, message, wait, local=False, **facts):
        super().__init__(operation, message, **facts)
        self.wait = wait
        self.local = local


class Refused(SpApiError):
    """A definite no before execution; the same request would be refused again."""

    @property
    def is_authorisation_problem(self):
        """True when a person must look at the account's credentials or roles."""
        return self.code in AUTHORISATION_CODES

    @property
    def may_be_repeated(self):
        """True when only the access token was refused: not executed, may be queued."""
        return self.code == ACCESS_TOKEN_REJECTED


class OutcomeUnknown(SpApiError):
    """The request may have been executed. A write must not be sent again."""


class MalformedAnswer(SpApiError):
    """An answer lacks a part that is needed; the message names the part."""


class IncompleteCredentials(ValueError):
    """A part of the credentials is missing or unusable; names it, not its value."""


class InvalidMessage(ValueError):
    """A message cannot be put into an envelope; the sentence names the order."""


class UnreadableReport(ValueError):
    """A processing report cannot be read at all; nothing is known from it."""
