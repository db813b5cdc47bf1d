from odoo import api, models
from odoo.tools import LazyTranslate

from ..watch.check import Check, Finding

_lt = LazyTranslate(__name__)

# Actions that an alarm names.
NAMED = 5


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
