"""The whole state of the stand-in, in memory, under one lock."""

import threading
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta

from .clock import SimulatedClock
from .errors import SeedError
from .execution import Executor
from .faults import Faults
from .feeds import FeedDesk
from .ledger import Ledger
from .orders import Order
from .outbound import FulfillmentOrder
from .paging import Pager
from .quotas import Quotas
from .rest_cancellation import Cancellations
from .sellers import Authorisation, TokenService

SEED_KEYS = frozenset({"authorisations", "orders", "fulfillment_orders"})
REST_CANCELLATION = ("forbidden", "not_found", "on")
# What cannot change while the clock runs.
FIXED_SETTINGS = frozenset({"clock_factor", "token_seconds", "quotas"})


@dataclass(frozen=True)
class Settings:
    """How the simulator behaves. Seconds are simulated seconds.

    `fba_refunds`: refunds of orders fulfilled by Amazon are taken from a feed.
    `rest_cancellation`: `forbidden` or `not_found` while Amazon does not offer it,
    `on` where it does. `mcf_step_seconds`: how long a fulfillment order that is not on
    hold stays in each status, 0: for ever. `messages_per_type`: how often a buyer may
    be sent the same type of message about an order. `lists_foreign_feeds`: getFeeds
    shows what other programs of the seller sent. `reports_name_orders`: an error in a
    report names its order and item. `adjustment_ids_differ`: the two Finances APIs have
    ids of their own for the items of one refund. `posted_date_moves_seconds`: by how
    much the date of a refund moves once a Finances API has told it.
    `cut_units_keep_proceeds`: the proceeds go on showing cancelled units.
    `unshipped_refunds_wait`: a refund of an unshipped order waits for the shipment.
    """

    clock_factor: float = 1.0
    processing_seconds: float = 30.0
    finance_delay_seconds: float = 120.0
    token_seconds: float = 3600.0
    quotas: bool = True
    gzip_reports: bool = True
    fba_refunds: bool = False
    rest_cancellation: str = "forbidden"
    mcf_step_seconds: float = 0.0
    messages_per_type: int = 10
    lists_foreign_feeds: bool = True
    reports_name_orders: bool = True
    adjustment_ids_differ: bool = False
    posted_date_moves_seconds: float = 0.0
    cut_units_keep_proceeds: bool = False
    unshipped_refunds_wait: bool = False

    def changed(self, changes):
        """Return these settings with changes from a control request.

        :raise ValueError: with a sentence that names the wrong setting
        """
        checks = {
            "clock_factor": lambda value: _is_number(value) and value > 0,
            "processing_seconds": _is_duration,
            "finance_delay_seconds": _is_duration,
            "token_seconds": lambda value: _is_number(value) and value > 0,
            "quotas": _is_switch,
            "gzip_reports": _is_switch,
            "fba_refunds": _is_switch,
            "rest_cancellation": lambda value: value in REST_CANCELLATION,
            "mcf_step_seconds": _is_duration,
            "messages_per_type": lambda value: type(value) is int and value >= 0,
            "lists_foreign_feeds": _is_switch,
            "reports_name_orders": _is_switch,
            "adjustment_ids_differ": _is_switch,
            "posted_date_moves_seconds": _is_duration,
            "cut_units_keep_proceeds": _is_switch,
            "unshipped_refunds_wait": _is_switch,
        }
        for name, value in changes.items():
            if name not in checks:
                raise ValueError(f"{name} is none of {', '.join(checks)}.")
            if not checks[name](value):
                raise ValueError(f"{name}: {value!r} is not possible.")
        return replace(self, **changes)


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_duration(value):
    return _is_number(value) and value >= 0


def _is_switch(value):
    return isinstance(value, bool)


class Simulator:
    """Amazon, as far as this project needs it.

    :param dict seed: content of the orders file: `authorisations` and `orders`
    :param Settings settings: how it behaves at the start and after a reset
    :raise SeedError: when the orders file is wrong
    """

    def __init__(self, seed, settings):
        self.lock = threading.RLock()
        self._seed = seed
        self._start_settings = settings
        self.clock = SimulatedClock(settings.clock_factor)
        self.tokens = TokenService(self.clock, settings.token_seconds)
        self.reset({})

    def __getstate__(self):
        """Return all that it knows, for `state.py`."""
        return {name: value for name, value in vars(self).items() if name != "lock"}

    def __setstate__(self, state):
        """Go on from there."""
        vars(self).update(state, lock=threading.RLock())

    def reset(self, changes):
        """Go back to the state at the start, and the clock to the real time.

        Access tokens stay good, so that clients need not notice.

        :param dict changes: settings that differ from those at the start
        :raise ValueError: when a setting is not possible; nothing has changed then
        """
        self.settings = self._start_settings.changed(changes)
        self.clock.restart(self.settings.clock_factor)
        self.tokens.seconds = self.settings.token_seconds
        self.tokens.renew()
        self.quotas = Quotas(self.clock, self.settings.quotas)
        self.pager = Pager(self.clock)
        self.faults = Faults()
        self.calls = Counter()
        self.ledger = Ledger()
        self.sellers = {}
        self.orders = {}
        self.fulfillment_orders = {}
        self.cancellations = Cancellations(self)
        executor = Executor(self.orders, self.ledger)
        self.feeds = FeedDesk(self.clock, self.settings, self.faults, executor)
        self.load(self._seed)

    def change(self, changes):
        """Change settings while everything goes on.

        :raise ValueError: when a setting is not possible now
        """
        fixed = sorted(FIXED_SETTINGS & set(changes))
        if fixed:
            raise ValueError(f"{', '.join(fixed)}: only a reset can change that.")
        self.settings = self.settings.changed(changes)
        self.feeds.settings = self.settings

    def load(self, seed):
        """Add or replace authorisations, orders and fulfillment orders.

        :param dict seed: shaped as the orders file
        :return: ids of the orders and fulfillment orders
        :raise SeedError: when it is wrong; nothing has changed then
        """
        if not isinstance(seed, dict) or set(seed) - SEED_KEYS:
            raise SeedError(f"Expected an object with {', '.join(sorted(SEED_KEYS))}.")
        rows = [Authorisation.from_seed(row) for row in seed.get("authorisations", ())]
        sellers = self.sellers | {row.seller_id: row for row in rows}
        if not sellers:
            raise SeedError("The orders file has no authorisation.")
        now = self.clock.now()
        orders = [
            Order.from_seed(row, sellers, now) for row in seed.get("orders") or ()
        ]
        outbound = [
            FulfillmentOrder.from_seed(row, sellers, now)
            for row in seed.get("fulfillment_orders") or ()
        ]
        self.sellers.update(sellers)
        self.orders.update({(order.seller_id, order.id): order for order in orders})
        self.fulfillment_orders.update(
            {(order.seller_id, order.id): order for order in outbound}
        )
        return [order.id for order in orders + outbound]

    def settle(self):
        """Let everything happen that is due by now."""
        self.cancellations.settle()
        self.feeds.settle()
        now = self.clock.now()
        for order in self.fulfillment_orders.values():
            order.settle(now, self.settings.mcf_step_seconds)

    @property
    def finance_delay(self):
        """How long the finances do not show money that moved."""
        return timedelta(seconds=self.settings.finance_delay_seconds)

    def orders_of(self, seller_id):
        """Return the orders of one seller."""
        return [row for row in self.orders.values() if row.seller_id == seller_id]

    def ledger_json(self):
        """Return what was really executed, for the control endpoint."""
        return {
            **self.ledger.to_json(),
            "feeds": [feed.to_ledger() for feed in self.feeds.feeds.values()],
            "calls": dict(self.calls),
        }
