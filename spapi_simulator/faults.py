"""Faults by rule: what goes wrong, where, and how often. Deterministic."""

import base64
from dataclasses import dataclass, field

from .errors import ApiError
from .operations import NAMES

# Faults of one request
REQUEST_KINDS = frozenset(
    "throttle html_503 timeout_before timeout_after cut_before cut_after forbidden"
    " forbidden_plain slow says".split()
)
# Faults of a feed, bound to it when it is created
FEED_KINDS = frozenset(
    "fatal fatal_partial cancelled stuck report_bad_xml report_gone report_late"
    " getfeeds_lag slow_processing".split()
)
# Faults of one message, found when it is executed
MESSAGE_KINDS = frozenset({"report_error", "report_missing", "item_error"})
KINDS = REQUEST_KINDS | FEED_KINDS | MESSAGE_KINDS

ANY = "*"
DEFAULT_HOLD_SECONDS = 30.0

_OPTIONS = {
    "slow": {"seconds"},
    "says": {"body", "status"},
    "timeout_before": {"seconds"},
    "timeout_after": {"seconds"},
    "getfeeds_lag": {"seconds"},
    "report_late": {"seconds"},
    "slow_processing": {"seconds"},
    "fatal_partial": {"executed"},
    "stuck": {"executed"},
    "report_error": {"order_id", "code", "text", "executed"},
    "report_missing": {"order_id", "executed"},
    "item_error": {"order_id", "order_item_id", "others_executed", "code", "text"},
}
_REQUIRED = {
    "slow": {"seconds"},
    "says": {"body"},
    "getfeeds_lag": {"seconds"},
    "report_late": {"seconds"},
    "slow_processing": {"seconds"},
    "report_error": {"order_id"},
    "report_missing": {"order_id"},
    "item_error": {"order_id", "others_executed"},
}


@dataclass
class Fault:
    """One rule.

    `times`: how often it strikes, None for always. `skip`: how many chances it lets
    pass first. `seconds`: real seconds for a request, simulated ones for a feed.
    """

    kind: str
    operation: str = ANY
    times: int | None = 1
    skip: int = 0
    options: dict = field(default_factory=dict)

    @classmethod
    def from_json(cls, data):
        """Build a rule from the body of the control request.

        :raise ValueError: with a sentence that says what is wrong
        """
        if not isinstance(data, dict):
            raise ValueError("A fault is a JSON object.")
        data = dict(data)
        kind = data.pop("kind", None)
        if kind not in KINDS:
            raise ValueError(f"kind {kind!r} is none of {', '.join(sorted(KINDS))}.")
        operation = data.pop("operation", None)
        if operation is None and kind not in REQUEST_KINDS:
            operation = ANY  # a feed's fault needs no operation
        if operation not in NAMES | {ANY}:
            raise ValueError(
                f"operation {operation!r} is none of {', '.join(sorted(NAMES))}, *."
            )
        times, skip = data.pop("times", 1), data.pop("skip", 0)
        if times is not None and (type(times) is not int or times < 1):
            raise ValueError("times is a number from 1, or null for always.")
        if type(skip) is not int or skip < 0:
            raise ValueError("skip is a number from 0.")
        unknown = set(data) - _OPTIONS.get(kind, set())
        missing = _REQUIRED.get(kind, set()) - set(data)
        if unknown or missing:
            raise ValueError(
                f"{kind}: unknown {sorted(unknown)}, missing {sorted(missing)}."
            )
        if not isinstance(data.get("others_executed", False), bool):
            raise ValueError("others_executed is true or false.")
        return cls(kind, operation, times, skip, data)

    def strikes(self):
        """Count one chance; tell whether the fault happens now."""
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    @property
    def spent(self):
        """Whether it will never strike again."""
        return self.times == 0

    def to_json(self):
        """Return the rule as it stands."""
        return {
            "kind": self.kind,
            "operation": self.operation,
            "times": self.times,
            "skip": self.skip,
            **self.options,
        }


class Faults:
    """The rules in force, oldest first. At most one strikes on each chance."""

    def __init__(self):
        self.rules = []

    def add(self, fault):
        """Put a rule behind the others."""
        self.rules.append(fault)

    def clear(self):
        """Drop every rule. What a feed has already caught stays with it."""
        self.rules.clear()

    def for_request(self, operation):
        """Return the fault of this request, or None."""
        return self._take(
            lambda fault: (
                fault.kind in REQUEST_KINDS and fault.operation in (operation, ANY)
            )
        )

    def for_feed(self):
        """Return the faults of a feed just created, by kind."""
        caught = {}
        for kind in sorted(FEED_KINDS):
            fault = self._take(lambda fault, kind=kind: fault.kind == kind)
            if fault:
                caught[kind] = fault
        return caught

    def for_message(self, kind, order_id):
        """Return the fault of this kind for a message about this order, or None."""
        return self._take(
            lambda fault: fault.kind == kind and fault.options["order_id"] == order_id
        )

    def for_item(self, order_id, item_ids):
        """Return the error of one item of a message, and the item that it names.

        :param item_ids: the items of the message, in its order
        :return: (Fault or None, id of the item or None)
        """
        fault = self._take(
            lambda fault: (
                fault.kind == "item_error"
                and fault.options["order_id"] == order_id
                and fault.options.get("order_item_id") in (None, *item_ids)
                and any(item_ids)
            )
        )
        if fault is None:
            return None, None
        return fault, fault.options.get("order_item_id") or next(filter(None, item_ids))

    def _take(self, fits):
        for fault in self.rules:
            if fits(fault) and fault.strikes():
                self.rules = [rule for rule in self.rules if not rule.spent]
                return fault
        return None


HTML_503 = (
    "<html><head><title>503 Service Temporarily Unavailable</title></head>"
    "<body><center><h1>503 Service Temporarily Unavailable</h1></center></body></html>"
)


def refusal(fault):
    """Return the answer of a fault that refuses: (status, content type, body).

    A body that is a dict is JSON. None for kinds that do not refuse.

    :param fault: a `Fault`, or None
    """
    kind = fault.kind if fault else ""
    if kind == "says":
        status = fault.options.get("status", 200)
        return status, "application/json", base64.b64decode(fault.options["body"])
    if kind == "throttle":
        message = "You exceeded your quota for the requested resource."
        error = ApiError(429, "QuotaExceeded", message)
        return 429, "application/json", error.body()
    if kind == "forbidden":
        message = "Access to requested resource is denied."
        error = ApiError(403, "Unauthorized", message)
        return 403, "application/json", error.body()
    if kind == "forbidden_plain":
        return 403, "application/json", {"message": "Forbidden"}
    if kind == "html_503":
        return 503, "text/html", HTML_503
    return None
