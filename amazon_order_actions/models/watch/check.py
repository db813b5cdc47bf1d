from typing import Any, NamedTuple

from odoo import api, models

from ..base.words import translated

# The turn of a check: what puts right what the others go by comes first; last comes
# what asks whether any of the others has found why.
FIRST, USUAL, LAST = range(3)


class Check(NamedTuple):
    """A kind of trouble that the watch looks for, by `_find_<kind>` of its model.

    That takes the company's accounts and returns a list of `Finding`.

    :param str kind: the kind of alarm that it raises
    :param label: what people call it, a term that is translated later (`_lt`)
    :param bool is_mended: whether the check mends it by itself: people are told only
        where it is still so at the next look
    :param bool on_panel: whether it concerns everybody who is about to ask for
        something, on whatever order
    :param bool on_account: whether the form of its account says it, as it is right now
    :param bool explains_waiting: whether it is why actions of its account wait
    :param bool tells_auditors: whether who administers must not be the only one to
        hear of it
    :param int turn: when it is looked for, before or after the others; None where the
        watch does not look, since who finds it reports it
    """

    kind: str
    label: Any
    is_mended: bool = False
    on_panel: bool = False
    on_account: bool = False
    explains_waiting: bool = False
    tells_auditors: bool = False
    turn: int | None = USUAL


class Finding(NamedTuple):
    """What a check found for one account, or for the whole company where empty.

    :param account: the account, or an empty recordset
    :param int count: things concerned
    :param str message: what it is, and what to do, for administrators
    :param since: since when it is so; now where empty
    :param str panel: what the panel says instead, to whoever waits for it
    """

    account: models.BaseModel
    count: int
    message: str
    since: object = None
    panel: str = ""


class NeededJob(NamedTuple):
    """Work that must not be without a job.

    :param str model: of the records that wait for it
    :param str method: of the job
    :param domain: the records that wait
    :param enqueue: function of a record that enqueues the job
    """

    model: str
    method: str
    domain: Any
    enqueue: Any


def tally(numbers, key, count, since):
    """Add a count to those of a key, and keep the oldest time."""
    former = numbers.get(key, (0, since))
    numbers[key] = (former[0] + count, min(former[1], since))


class AmazonCheck(models.AbstractModel):
    """What the watch looks for. Each room and each addon that knows of trouble has a
    model ``amazon.check.<subject>`` of its own beside that subject, which inherits from
    this one; the watch finds them in the registry.
    """

    _name = "amazon.check"
    _description = "Amazon Checks"

    # What is looked for, each by the method `_find_<kind>`.
    _checks = ()

    @api.model
    def _registered(self):
        """Return the models of checks, in the order in which they were loaded.

        :rtype: list
        """
        names = self.env.registry.descendants(["amazon.check"], "_inherit")
        return [self.env[name] for name in names]

    @api.model
    def _notify_panels(self, alarm):
        """Hook: tell the open forms of whatever waits for what an alarm is about.

        :param amazon.alarm alarm: that began, changed or ended
        """

    @api.model
    def _all(self):
        """Return all checks by their kind, in the order in which they are looked for.

        :rtype: dict[str, tuple[amazon.check, Check]]
        """
        found = [(of, check) for of in self._registered() for check in of._checks]
        found.sort(key=lambda each: LAST if each[1].turn is None else each[1].turn)
        return {check.kind: (of, check) for of, check in found}

    @api.model
    def _labels(self, kinds=None):
        """Return what the kinds of trouble are called, by kind.

        :param kinds: of these alone; None for all
        :rtype: dict[str, str]
        """
        return {
            kind: translated(self.env, check.label)
            for kind, (_of, check) in self._all().items()
            if kinds is None or kind in kinds
        }

    @api.model
    def _kinds_that(self, quality):
        """Return the kinds of trouble of which this is so.

        :param str quality: a flag of `Check`
        :rtype: list[str]
        """
        return [k for k, (_of, check) in self._all().items() if getattr(check, quality)]

    @api.model
    def _said_of(self, accounts):
        """Return what the form of each account says: what checks find right now that
        are for it.

        :param accounts: the seller accounts
        :return: sentences by account
        :rtype: dict[amazon.seller.account, list[str]]
        """
        said = {account: [] for account in accounts}
        for kind, (of, check) in self._all().items():
            if check.on_account:
                for finding in getattr(of, f"_find_{kind}")(accounts):
                    if finding.account in said:
                        said[finding.account].append(finding.message)
        return said

    # === HOOKS === #

    @api.model
    def _before_watch(self):
        """Hook: what is done once before the companies are looked at."""

    @api.model
    def _accounts_to_watch(self):
        """Hook: return accounts to look at beside the active ones: those that left
        something on its way.

        :rtype: amazon.seller.account
        """
        return self.env["amazon.seller.account"]

    @api.model
    def _needed_jobs(self, before):
        """Hook: return what must not be without a job, beside the feeds.

        :param datetime before: it waits since before then
        :rtype: list[NeededJob]
        """
        return []

    @api.model
    def _try_again(self, kind, accounts):
        """Hook: have tried again, in sudo mode, what an alarm is about.

        :param str kind: the kind of the alarm, one of this model's
        :param amazon.seller.account accounts: whose
        """
