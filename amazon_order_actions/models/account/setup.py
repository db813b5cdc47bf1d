from typing import Any, NamedTuple

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..base.background import in_own_transaction
from ..base.groups import ADMIN
from ..base.words import translated

# How a check of the set-up came out, the best first: it is in order, it is worth a
# look, it is still to be done, it does not work.
IN_ORDER, LOOK, TO_DO, WRONG = "done", "look", "todo", "wrong"
OUTCOMES = (IN_ORDER, LOOK, TO_DO, WRONG)
ICONS = {
    IN_ORDER: "fa-check-circle text-success",
    LOOK: "fa-info-circle text-info",
    TO_DO: "fa-circle-o text-muted",
    WRONG: "fa-exclamation-triangle text-danger",
}


class SetupCheck(NamedTuple):
    """What the set-up says of one thing that it has looked at.

    :param str outcome: one of `OUTCOMES`
    :param str title: what was looked at
    :param str sentence: how it is, and what to do about it
    :param str lines: what is to be copied, as it is, or empty
    """

    outcome: str
    title: Any
    sentence: str
    lines: str = ""


class AmazonSetupStep(models.AbstractModel):
    """A step of the set-up of a seller account. Each room and each addon that has one
    has a model ``amazon.setup.step.<key>`` beside its subject, which inherits from this
    one; an addon adds checks to a step of another by inheriting that one. The set-up
    finds them in the registry, and looks at the checks whenever it is opened.
    """

    _name = "amazon.setup.step"
    _description = "Amazon Step of the Set-Up"

    # Where it stands among the others, and what people call it, a term that is
    # translated later (`_lt`).
    _place = 0
    _label = ""
    # The fields of the account that its checks depend on.
    _looks_at = ()

    @api.model
    def _registered(self):
        """Return the models of the steps, in their order.

        :rtype: list
        """
        names = self.env.registry.descendants(["amazon.setup.step"], "_inherit")
        steps = [self.env[name] for name in names if name != "amazon.setup.step"]
        return sorted(steps, key=lambda step: step._place)

    @api.model
    def _key(self):
        """Return the name of the step, as the account keeps it."""
        return self._name.rpartition(".")[2]

    @api.model
    def _checks(self, account):
        """Hook: look at what the step is about, without a call to Amazon.

        :param amazon.seller.account account: as its administrator reads it
        :return: a check for each thing, with what to do about it
        :rtype: list[SetupCheck]
        """
        return []

    @api.model
    def _enter(self, account):
        """Hook: what is done once whoever sets the account up arrives at the step."""

    @api.model
    def _try(self, account):
        """Hook: try out what the step offers to try, by a button.

        :raise UserError: when it does not work, with the reason
        """

    @api.model
    def _outcome(self, account):
        """Return how the step came out: as the worst of its checks."""
        outcomes = [check.outcome for check in self._checks(account)]
        return max(outcomes, key=OUTCOMES.index, default=TO_DO)


def step_selection(model):
    """Return the steps of the set-up as the options of a selection field."""
    return [
        (step._key(), translated(model.env, step._label))
        for step in model.env["amazon.setup.step"]._registered()
    ]


class AmazonSellerSetup(models.AbstractModel):
    """The set-up of an account: one step after the other, left and resumed at will.

    It has no data of its own but where somebody is: its fields are those of the
    account, and its checks look at what is there.
    """

    _name = "amazon.seller.setup"
    _description = "Amazon Set-Up of a Seller Account"

    setup_step = fields.Selection(
        step_selection,
        "Step of the Set-Up",
        default=lambda self: self._first_step(),
        readonly=True,
        copy=False,
    )
    is_set_up = fields.Boolean(
        readonly=True,
        copy=False,
        help="Whether somebody has gone through the set-up to its end.",
    )
    setup_order_ref = fields.Char("Order Number", groups=ADMIN, copy=False)
    setup_order_answer = fields.Char(
        groups=ADMIN, readonly=True, copy=False, help="What Amazon said of the order."
    )

    # === COMPUTE METHODS === #

    @api.depends(lambda self: self._setup_shows())
    @api.depends_context("lang", "tz", "uid")
    def _compute_setup(self):
        steps = self.env["amazon.setup.step"]._registered()
        labels = dict(step_selection(self))
        for account in self:
            looked_at = account._origin
            outcomes = {
                step._key(): step._outcome(looked_at) if looked_at else TO_DO
                for step in steps
            }
            account.setup_steps = [
                {
                    "key": key,
                    "label": labels[key],
                    "outcome": outcome,
                    "icon": ICONS[outcome],
                }
                for key, outcome in outcomes.items()
            ]
            account.setup_checks = account._setup_answer(looked_at)

    @api.model
    def _setup_shows(self):
        """Return the fields that the checks of the set-up depend on."""
        steps = self.env["amazon.setup.step"]._registered()
        of_steps = (name for step in steps for name in step._looks_at)
        return ("setup_step", "connection_answer", *of_steps)

    # === ACTION METHODS === #

    def action_open_setup(self):
        """Open the set-up where it was left."""
        self.ensure_one()
        self.check_access("write")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "amazon_order_actions.amazon_seller_account_setup_action"
        )
        return {**action, "res_id": self.id}

    def action_setup_next(self):
        """Go to the next step, or end the set-up after the last one."""
        return self._walk(1)

    def action_setup_back(self):
        """Go to the step before."""
        return self._walk(-1)

    def action_setup_go(self, step):
        """Go to a step.

        :param str step: its name
        :raise UserError: when there is no such step
        """
        self.ensure_one()
        self.check_access("write")
        if step not in self._step_keys():
            raise UserError(self.env._("The set-up has no such step."))
        self._go_to(step)
        return True

    def action_setup_try(self):
        """Try out what the step at hand offers to try.

        :raise UserError: when it does not work, with the reason
        """
        self.ensure_one()
        self.check_access("write")
        step = f"amazon.setup.step.{self.setup_step}"
        if step in self.env:
            self.env[step]._try(self)
        return True

    # === BUSINESS METHODS === #

    @api.model
    def _step_keys(self):
        """Return the names of the steps, in their order."""
        return [step._key() for step in self.env["amazon.setup.step"]._registered()]

    @api.model
    def _first_step(self):
        return next(iter(self._step_keys()), False)

    def _walk(self, by):
        self.ensure_one()
        self.check_access("write")
        keys = self._step_keys()
        here = keys.index(self.setup_step) if self.setup_step in keys else 0
        if here + by >= len(keys):
            return self._end_setup()
        self._go_to(keys[max(here + by, 0)])
        return True

    def _go_to(self, key):
        """Note where somebody is, and do what the step begins with.

        In a transaction of its own: what a step begins with may ask Amazon, and then
        writes the account's row in another transaction.
        """
        in_own_transaction(self, "write", {"setup_step": key})
        self.invalidate_recordset()
        self.env[f"amazon.setup.step.{key}"]._enter(self)

    def _end_setup(self):
        """Note that the set-up is done, and show the account."""
        self.write({"is_set_up": True, "setup_step": self._first_step()})
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "amazon_order_actions.amazon_seller_account_action"
        )
        return {
            **action,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "main",
        }

    # === WHAT IS SAID === #

    def _setup_answer(self, looked_at):
        """Return what the checks of the step say, one below the other.

        :param amazon.seller.account looked_at: the account as it is stored, empty
            before that
        :rtype: Markup
        """
        step = f"amazon.setup.step.{self.setup_step or self._first_step()}"
        if step not in self.env:
            return False
        return Markup().join(map(_as_html, self.env[step]._checks(looked_at)))


def _as_html(check):
    lines = check.lines and Markup('<pre class="mt-2 mb-0">%s</pre>') % check.lines
    return Markup(
        '<div class="d-flex mb-3"><i class="fa %s fa-lg me-3 mt-1" role="img"></i>'
        '<div><strong>%s</strong><div style="white-space: pre-line">%s</div>%s</div>'
        "</div>"
    ) % (ICONS[check.outcome], check.title, check.sentence, lines)
