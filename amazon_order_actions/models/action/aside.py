from odoo import api, fields, models
from odoo.tools import LazyTranslate

from ..watch.check import Check, Finding
from .states import BEFORE_SENDING

_lt = LazyTranslate(__name__)

# Actions that an alarm names.
NAMED = 5


class AmazonAuditEntry(models.Model):
    _inherit = "amazon.audit.entry"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    event = fields.Selection(
        selection_add=[("again", "Tried again")],
        ondelete={"again": "cascade"},
    )


class AmazonAction(models.Model):
    """What it means that an action is set aside: nothing sends it, and nothing moves it
    but Amazon's own data of its order, or a person."""

    _inherit = "amazon.action"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    # The feed that carries it may stand still, too.
    feed_set_aside_message = fields.Text(
        related="feed_id.set_aside_message", string="Why Its Feed Stands Still"
    )

    _set_aside_idx = models.Index("(account_id) WHERE set_aside_at IS NOT NULL")

    def action_try_again(self):
        """Override to try its feed again, too."""
        result = super().action_try_again()
        self.sudo().feed_id._try_again()
        return result

    def _aside_sentence(self):
        if self.state not in BEFORE_SENDING:
            return self.env._(
                "An error in the program keeps %s from going on. Amazon may have it: "
                "do not do it a second time. An administrator is told.",
                self.name,
            )
        return self.env._(
            "An error in the program keeps %s from going on. Nothing is sent until an "
            "administrator, who is told, has it tried again.",
            self.name,
        )

    def _journal_try_again(self):
        self._journal(
            "again",
            state_from=self.state,
            state_to=self.state,
            message=self.set_aside_message,
        )

    def _go_on(self):
        if self.state == "queued":
            self._enqueue_dispatch()
        elif not self.feed_type:
            self._mend_call()
        elif self.feed_id:
            self.feed_id._go_on()
        elif self._is_of_lost_time() and not self.needs_person:
            self._enqueue_verification()
        self.order_id._notify_forms()


class AmazonCheckAside(models.AbstractModel):
    """Finds what is set aside."""

    _name = "amazon.check.aside"
    _inherit = "amazon.check"
    _description = "Amazon Checks of What Is Set Aside"

    _checks = (Check("set_aside", _lt("Set aside after an error")),)

    @api.model
    def _try_again(self, kind, accounts):
        """Override: the feeds and the actions."""
        for records_sudo in self._set_aside_of(accounts):
            records_sudo._try_again()

    @api.model
    def _set_aside_of(self, accounts):
        """Return the feeds and the actions of accounts that are set aside.

        :rtype: tuple[amazon.feed, amazon.action]
        """
        domain = [("account_id", "in", accounts.ids), ("set_aside_at", "!=", False)]
        return tuple(
            self.env[model].search(domain) for model in ("amazon.feed", "amazon.action")
        )

    def _find_set_aside(self, accounts):
        """Something raised, and stands still until an administrator looks at it."""
        feeds, actions = self._set_aside_of(accounts)
        findings = []
        for account in feeds.account_id | actions.account_id:
            of_account = [("account_id", "=", account.id)]
            ours = actions.filtered_domain(of_account)
            theirs = feeds.filtered_domain(of_account)
            findings.append(
                Finding(
                    account,
                    len(ours) + len(theirs),
                    self._set_aside_message(ours, theirs),
                    min(ours.mapped("set_aside_at") + theirs.mapped("set_aside_at")),
                )
            )
        return findings

    def _set_aside_message(self, actions, feeds):
        messages = dict.fromkeys(actions.mapped("set_aside_message"))
        return self.env._(
            "An error in the program keeps actions (%(actions)s) and feeds (%(feeds)s) "
            "from going on: %(names)s. All others go on. Have the program mended by "
            "the traceback that they show, then click Try Again. %(messages)s",
            actions=len(actions),
            feeds=len(feeds),
            names=", ".join([*actions[:NAMED].mapped("name"), *map(str, feeds.ids)]),
            messages="\n".join(list(messages)[:NAMED]),
        )
