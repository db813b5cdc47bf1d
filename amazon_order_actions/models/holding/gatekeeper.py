from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from odoo import api, models


class Hold(NamedTuple):
    """Something of an account that does not leave until a person lets it go on.

    :param str kind: kind of action; False: all kinds
    :param tell: function without arguments that says what is held, since when, by whom
        and why
    :param bool spares_counted: whether what was counted before it may still leave
    :param bool needs_decision: whether a person must first say what this database is
    """

    kind: str | bool
    tell: Callable[[], str]
    spares_counted: bool = False
    needs_decision: bool = False


class NotNow(Exception):
    """Nothing may leave from this host at the moment. Its text is for the log; for
    people there is `amazon.gatekeeper._why_nothing_leaves`."""


class AmazonGatekeeper(models.AbstractModel):
    """Who may keep something from leaving for Amazon.

    Each is a model ``amazon.gatekeeper.<x>``, in the room of what it goes by, which
    inherits from this one: that registers it. ``_place`` says when it is asked;
    `docs/architecture.md` lists them all. Whoever sends asks all of them by the methods
    at the end, and knows none.
    """

    _name = "amazon.gatekeeper"
    _description = "Gatekeeper of What Leaves for Amazon"

    # The lowest is asked first; each has its own.
    _place = 0

    # === HOOKS === #

    def _holds(self, accounts):
        """Hook: return what is held of accounts, by what is committed by now.

        :param amazon.seller.account accounts: whose
        :return: `Hold` by account; those of which nothing is held may be missing
        :rtype: dict[amazon.seller.account, list[Hold]]
        """
        return {}

    def _resume_dialog(self, account):
        """Hook: return the dialog that lets go on what this one holds of an account.

        :param amazon.seller.account account: that the user may read
        :rtype: dict | bool
        """
        return False

    def _decision_dialog(self, account):
        """Hook: return the dialog in which a person says what this database is, where
        something of an account waits for that.

        :param amazon.seller.account account: that the user may read
        :rtype: dict | bool
        """
        return False

    def _make_ready(self):
        """Hook: look whether anything may leave, before something is got ready.

        In transactions of its own: the caller's may be older than what it finds.

        :return: whether it may go on
        :rtype: bool
        :raise NotNow: where this host cannot say so
        """
        return True

    def _problem(self):
        """Hook: return the sentence that says why nothing may leave from this host, or
        False.

        :rtype: str | bool
        """
        return False

    def _look(self, account, client):
        """Hook: ask Amazon for what must be known before an envelope leaves.

        :param amazon.seller.account account: whose
        :param SellerClient client: of that account
        :raise SpApiError: when Amazon does not say
        """

    @contextmanager
    def _count(self, lane):
        """Hook: hold what is counted of a lane, from before the transaction that counts
        and marks until its commit.

        :param Lane lane: the lane, which the caller holds
        :raise RetryableJobError: when somebody else counts
        """
        yield

    def _let_pass(self, account, actions, left_since):
        """Hook: return those of the actions that may leave now; block or hold others.

        :param amazon.seller.account account: whose
        :param amazon.action actions: in the order in which they should leave
        :param left_since: function of a type of feeds, a kind of action and a moment,
            which returns the money that has left since then, or may have
        :rtype: amazon.action
        """
        return actions

    def _let_leave(self, account):
        """Hook: say, right before a call that cannot be repeated, whether it may leave.

        :param amazon.seller.account account: whose call it is
        :rtype: bool
        """
        return True

    def _before_asking(self):
        """Hook: look whether anything may be asked for, before it gets a reference.

        :raise UserError: where it may not
        """

    def _note_asked(self, action):
        """Hook: note that something is asked for.

        :param amazon.action action: in the transaction that asks
        """

    def _verify_first(self, actions):
        """Hook: have verified first what may have left in a time that is lost.

        :param amazon.action actions: any number
        """

    def _verify_on(self, actions):
        """Hook: go on verifying what stood still.

        :param amazon.action actions: any number
        """

    def _let_wait_again(self, actions, reason):
        """Hook: let wait as before what was not sent in the time that is lost.

        :param amazon.action actions: any number
        :param str reason: the sentence that says what was found
        """

    # === ASKING ALL OF THEM === #

    @api.model
    def _all(self):
        """Return the gatekeepers, in the order in which they are asked.

        :rtype: list
        """
        names = self.env.registry.descendants(["amazon.gatekeeper"], "_inherit")
        keepers = [self.env[name] for name in names if name != "amazon.gatekeeper"]
        return sorted(keepers, key=lambda keeper: keeper._place)

    @api.model
    def _all_holds(self, accounts):
        """Return all that is held of each account.

        :rtype: dict[amazon.seller.account, list[Hold]]
        """
        found = {account: [] for account in accounts}
        for keeper in self._all():
            for account, holds in keeper._holds(accounts).items():
                found[account] += holds
        return found

    @api.model
    def _first_dialog(self, method, account):
        """Return the first dialog that one of them has, or False.

        :param str method: name of the hook
        :param amazon.seller.account account: that the user may read
        """
        dialogs = (getattr(keeper, method)(account) for keeper in self._all())
        return next(filter(None, dialogs), False)

    @api.model
    def _tell(self, hook, *args):
        """Call a hook of all of them that answers nothing.

        :param str hook: its name
        """
        for keeper in self._all():
            getattr(keeper, hook)(*args)

    @api.model
    def _is_ready(self):
        """Whether anything may leave, before something is got ready.

        :rtype: bool
        :raise NotNow: where this host cannot say so
        """
        return all(keeper._make_ready() for keeper in self._all())

    @api.model
    def _why_nothing_leaves(self):
        """Return the sentence that says why nothing may leave from this host, or False.

        :rtype: str | bool
        """
        return next(filter(None, (keeper._problem() for keeper in self._all())), False)

    @api.model
    def _look_first(self, account, client):
        """Ask Amazon for what must be known before an envelope leaves."""
        for keeper in self._all():
            keeper._look(account, client)

    @api.model
    @contextmanager
    def _counting(self, lane):
        """Hold what is counted of a lane; see `_count`."""
        with ExitStack() as stack:
            for keeper in self._all():
                stack.enter_context(keeper._count(lane))
            yield

    @api.model
    def _those_that_pass(self, account, actions, left_since):
        """Return those of the actions that all let pass; see `_let_pass`."""
        for keeper in self._all():
            actions = keeper._let_pass(account, actions, left_since)
        return actions

    @api.model
    def _may_leave(self, account):
        """Whether a call that cannot be repeated may leave now.

        :param amazon.seller.account account: whose call it is
        :rtype: bool
        """
        return all(keeper._let_leave(account) for keeper in self._all())
