from datetime import timedelta
from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import LazyTranslate

from ..base.containment import contained, failure_of, log_failure, trace_of
from ..base.groups import ADMIN
from ..watch.check import Check, Finding

_lt = LazyTranslate(__name__)

# Hours for which the administrators are told that something did not follow.
FAILURE_SHOWN_HOURS = 24


class Follower(NamedTuple):
    """Something that follows where actions reach a state.

    :param str method: of `amazon.action`, for actions of any kind in any state
    :param str sentence: what people are told where it fails: what to do now
    """

    method: str
    sentence: str


class AmazonAction(models.Model):
    """What follows from the state that actions have reached, or were asked for in.

    The news come first: no follower can stop a move, or another follower.
    """

    _inherit = "amazon.action"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    follower_failed_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="When something that should have followed from its state failed, the "
        "last time.",
    )
    follower_trace = fields.Text(
        "Traceback of What Did Not Follow", readonly=True, copy=False, groups=ADMIN
    )

    _follower_failed_idx = models.Index(
        "(account_id, follower_failed_at) WHERE follower_failed_at IS NOT NULL"
    )

    @api.model
    def _followers(self):
        """Hook: return what follows from a state, in this order.

        :rtype: list[Follower]
        """
        return [
            Follower(
                "_post_sentence",
                self.env._("What is known could not be noted here. Open the action."),
            ),
            Follower(
                "_drop_approval_activities",
                self.env._("The activities of its approvers could not be closed."),
            ),
            Follower(
                "_forget_details",
                self.env._(
                    "What names the buyer could not be removed from it. Tell an "
                    "administrator."
                ),
            ),
            Follower("_follow_cancellations", self._follow_failed()),
            Follower(
                "_draft_credit_notes",
                self.env._(
                    "No draft credit note could be made for this refund. Make it by "
                    "hand, and tell an administrator."
                ),
            ),
            Follower("_follow_replies", self._reply_failed()),
            Follower(
                "_show_in_forms",
                self.env._("Open forms do not show it yet. Load them again."),
            ),
        ]

    def _let_follow(self):
        """Do all that follows from the state of these actions, each by itself.

        In the same transaction. What fails for one action is undone, told on its
        documents and to the administrators, and keeps nothing else. They are tried
        together first: a savepoint for each would cost every click twenty queries.
        """
        followers = self._followers()

        def follow(actions):
            for follower in followers:
                getattr(actions, follower.method)()

        if not self or failure_of(self, follow) is None:
            return
        for follower in followers:
            contained(
                self,
                lambda actions, method=follower.method: getattr(actions, method)(),
                lambda action, error, told=follower.sentence: action._tell_failure(
                    told, error
                ),
            )

    def _show_in_forms(self):
        self.order_id._notify_forms()

    def _guarded(self, method, sentence):
        """Call a method of this action; where it fails, undo what it did and say so.

        :param method: function without arguments
        :param str sentence: what is told, of what did not work and what to do
        """
        self.ensure_one()
        contained(
            self,
            lambda _actions: method(),
            lambda action, error: action._tell_failure(sentence, error),
        )

    def _tell_failure(self, sentence, error):
        """Tell on the documents of this action, and to the administrators, that
        something did not work.

        :param str sentence: what did not work, and what to do
        :param Exception error: why
        """
        log_failure(self, sentence, error)
        self.write(
            {
                "follower_failed_at": fields.Datetime.now(),
                "follower_trace": trace_of(error),
            }
        )
        contained(
            self,
            lambda action: action._post(lambda one: f"{one.name}: {sentence}"),
            lambda action, again: log_failure(action, "could not be told", again),
        )


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
