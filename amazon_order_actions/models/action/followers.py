from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import LazyTranslate

from ..base.containment import contained, failure_of, log_failure, trace_of
from ..watch.check import Check, Finding

_lt = LazyTranslate(__name__)

# Hours for which the administrators are told that something did not follow.
FAILURE_SHOWN_HOURS = 24


class AmazonActionFollower(models.AbstractModel):
    """Something that follows where actions reach a state, or were asked for in one.

    Each is a model of its own, in the room of what it does, which inherits from this
    one: that registers it. ``_place`` says when it is its turn; `docs/architecture.md`
    lists them all. The news come first: no follower can stop a move, or another
    follower.
    """

    _name = "amazon.action.follower"
    _description = "What Follows From a State of Amazon Actions"

    # The lowest comes first; each has its own.
    _place = 0

    # === HOOKS === #

    def _follow(self, actions):
        """Hook: do what follows for actions of any kind in any state, in the
        transaction that moved them.

        :param amazon.action actions: in sudo mode, or of whoever asks for them
        """
        raise NotImplementedError

    def _follow_later(self, action):
        """Hook: do what follows in a job of its own, see
        `amazon.action._enqueue_follow_in_odoo`.

        :param amazon.action action: the one
        """

    def _resume(self, accounts, kind):
        """Hook: let go on what was held while accounts were stopped.

        :param amazon.seller.account accounts: that may send again
        :param str kind: kind of action, all where False
        """

    def _failed(self):
        """Hook: return what people are told where it fails: what to do now.

        :rtype: str
        """
        raise NotImplementedError

    # === BUSINESS METHODS === #

    @api.model
    def _in_order(self):
        """Return the followers, in the order in which they follow.

        :rtype: list
        """
        names = self.env.registry.descendants(["amazon.action.follower"], "_inherit")
        followers = [
            self.env[name] for name in names if name != "amazon.action.follower"
        ]
        return sorted(followers, key=lambda follower: follower._place)

    @api.model
    def _let_follow(self, actions):
        """Do all that follows from the state of these actions, each by itself.

        In the same transaction. What fails for one action is undone, told on its
        documents and to the administrators, and keeps nothing else. They are tried
        together first: a savepoint for each would cost every click twenty queries.
        """
        followers = self._in_order()

        def follow(actions):
            for follower in followers:
                follower._follow(actions)

        if not actions or failure_of(actions, follow) is None:
            return
        for follower in followers:
            follower._follow_contained(actions)

    def _follow_contained(self, actions):
        """Do what follows for these; for each by itself where it fails."""
        contained(
            actions,
            self._follow,
            lambda action, error: self._tell_failure(action, self._failed(), error),
        )

    @api.model
    def _guarded(self, action, method, sentence):
        """Do something for an action; where it fails, undo what it did and say so.

        :param amazon.action action: the one
        :param method: function without arguments
        :param str sentence: what is told, of what did not work and what to do
        """
        action.ensure_one()
        contained(
            action,
            lambda _action: method(),
            lambda action, error: self._tell_failure(action, sentence, error),
        )

    @api.model
    def _tell_failure(self, action, sentence, error):
        """Tell on the documents of an action, and to the administrators, that something
        did not work.

        :param amazon.action action: the one
        :param str sentence: what did not work, and what to do
        :param Exception error: why
        """
        log_failure(action, sentence, error)
        action.write(
            {
                "follower_failed_at": fields.Datetime.now(),
                "follower_trace": trace_of(error),
            }
        )
        contained(
            action,
            lambda action: action._post(lambda one: f"{one.name}: {sentence}"),
            lambda action, again: log_failure(action, "could not be told", again),
        )


class AmazonActionFollowerNote(models.AbstractModel):
    """The news are noted on the documents."""

    _name = "amazon.action.follower.note"
    _inherit = "amazon.action.follower"
    _description = "Notes on Documents of Amazon Actions"

    _place = 10

    def _follow(self, actions):
        actions._post_sentence()

    def _failed(self):
        return self.env._("What is known could not be noted here. Open the action.")


class AmazonActionFollowerForms(models.AbstractModel):
    """Open forms show it."""

    _name = "amazon.action.follower.forms"
    _inherit = "amazon.action.follower"
    _description = "Open Forms of Amazon Orders"

    _place = 90

    def _follow(self, actions):
        actions.order_id._notify_forms()

    def _failed(self):
        return self.env._("Open forms do not show it yet. Load them again.")


class AmazonCheckFollower(models.AbstractModel):
    """Finds what did not follow."""

    _name = "amazon.check.follower"
    _inherit = "amazon.check"
    _description = "Amazon Checks of What Follows"

    _checks = (Check("follower", _lt("Something did not follow")),)

    def _find_follower(self, accounts):
        """Something that should have followed from the state of an action failed."""
        since = fields.Datetime.now() - timedelta(hours=FAILURE_SHOWN_HOURS)
        groups = self.env["amazon.action"]._read_group(
            [("account_id", "in", accounts.ids), ("follower_failed_at", ">", since)],
            ["account_id"],
            ["__count", "id:recordset", "follower_failed_at:min"],
        )
        return [
            Finding(
                account,
                count,
                self.env._(
                    "Actions after which something in Odoo did not work, in the last "
                    "%(hours)s hours: %(count)s (%(names)s). Their documents say "
                    "what to do. Nothing at Amazon is changed by that.",
                    hours=FAILURE_SHOWN_HOURS,
                    count=count,
                    names=", ".join(actions[:5].mapped("name")),
                ),
                oldest,
            )
            for account, count, actions, oldest in groups
        ]
