from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import AccessError, UserError

from ..base.children import fetch_children
from ..base.containment import worked_together

# Who holds it may create actions. It is no value that could come in by RPC.
_DOOR = object()


class ActionRequest(NamedTuple):
    """What somebody asks of Amazon for one order, as a value.

    Where a part is a function, it is called with the order taken: so what it reads is
    read only once, and not at all where the request is known already.

    :param str kind: the kind of action
    :param origin: the document that it is asked from
    :param str nonce: the same nonce is one action, however often it comes
    :param reason: Amazon's code of the reason, or False
    :param amounts: amount for each ``amazon.order.charge``, in the order's currency: a
        dict, or a function that returns it
    :param quantities: units of each ``amazon.order.line``: likewise
    :param details: what else the kind needs to carry it out: likewise
    :param note: free text; in the assisted way, what was done
    """

    kind: str
    origin: models.Model
    nonce: str
    reason: str | bool = False
    amounts: dict | Callable | None = None
    quantities: dict | Callable | None = None
    details: dict | Callable | None = None
    note: str | bool = False

    def settled(self):
        """Return the same with what its functions say now."""
        return self._replace(
            amounts=_value(self.amounts) or {},
            quantities=_value(self.quantities) or {},
            details=_value(self.details) or None,
        )


class AmazonOrder(models.Model):
    """The one door by which anybody asks for anything on an order.

    Money and units of an order are promised in one transaction that has taken the
    order: two that ask at once meet there, and the later one sees what the earlier one
    was promised. Whoever sends something (a dialog, a reply, whatever else comes to
    ask) goes through here; an action cannot come to be in another way.
    """

    _inherit = "amazon.order"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    def _reserve(self, request):
        """Promise what is asked for, from the current user, and have it sent. Nothing
        is sent here.

        Checks again all that a dialog has shown: the dialog may be old, and this can be
        reached without it.

        :param ActionRequest request: what is asked for
        :return: the action, the earlier one where the nonce is known
        :rtype: amazon.action
        :raise AccessError: when the user may not ask for this kind, or not here
        :raise UserError: when it is not possible, with the sentence that says why
        """
        self.ensure_one()
        handler = self.env[f"amazon.action.kind.{request.kind}"]
        handler._check_right()
        request.origin.check_access("read")
        order_sudo = self.sudo()
        now = order_sudo._take()
        # not before: what is known of the order then is read again
        self._check_origin(request.origin)
        actions_sudo = self.env["amazon.action"].sudo()
        known = actions_sudo.search([("nonce", "=", request.nonce)])
        if known:
            return known.with_env(self.env)
        fetch_children(fetch_children(order_sudo, "line_ids"), "charge_ids")
        request = request.settled()
        handler._check_possible(order_sudo, request.amounts)
        handler._check_quantities(order_sudo, request.quantities)
        handler._check_details(order_sudo, request.details or {})
        handler._check_way(order_sudo, request.reason)
        vals = order_sudo._prepare_reserved(handler, request, now)
        order_sudo._forget_ahead(now)
        action_sudo = actions_sudo._create_reserved(vals)
        action_sudo._start(request.note)
        return action_sudo.with_env(self.env)

    def _check_origin(self, origin):
        """Refuse documents that the user may not read, or that are about another order.

        :param origin: the document that it is asked from
        """
        origin.check_access("read")
        self.check_access("read")
        order_sudo, origin_sudo = self.sudo(), origin.sudo()
        # also where a server action calls it in sudo mode
        self._check_working_in(order_sudo.company_id, order_sudo.amazon_order_ref)
        if origin_sudo._get_amazon_order() != order_sudo:
            raise UserError(
                self.env._(
                    "%(document)s is not about the Amazon order %(order)s. Open it "
                    "again and ask from there.",
                    document=origin.display_name,
                    order=self.amazon_order_ref,
                )
            )

    def _prepare_reserved(self, handler, request, now):
        """Return the values of the action, once the gate has let it pass, or wait.

        :param handler: the kind of action
        :param ActionRequest request: settled, and possible
        :param datetime now: when the order was taken, by PostgreSQL's clock
        :rtype: dict
        :raise AccessError: when the user may not have it sent
        """
        origin, amounts = request.origin, request.amounts
        # the limits are those of the user
        actions = handler.env["amazon.action"]
        gate = actions._gate(handler, self, request, now)
        assisted = handler._is_assisted(self)
        return {
            "name": actions._next_name(),
            "kind": request.kind,
            "feed_type": handler._feed_type_for(self, request.reason),
            "state": "assisted" if assisted else "queued",
            "last_state_change": now,
            "order_id": self.id,
            "account_id": self.account_id.id,
            "company_id": self.company_id.id,
            "marketplace": self.marketplace,
            "currency_id": self.currency_id.id,
            "amount": sum(amounts.values()),
            "reason": request.reason,
            "note": request.note,
            "user_id": self.env.uid,
            "asked_at": now,
            "due_at": now + timedelta(seconds=handler._undo_seconds(self)),
            "urgent_from": handler._urgent_from(origin.sudo()),
            "origin_model": origin._name,
            "origin_id": origin.id,
            "origin_name": origin.sudo()._document_number(),
            "nonce": request.nonce,
            "seen_refund_id": self._last_refund_id(),
            "details": request.details,
            "line_ids": actions._prepare_lines(self, amounts, request.quantities),
            **gate,
        }


class AmazonAction(models.Model):
    _inherit = "amazon.action"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    @api.model_create_multi
    def create(self, vals_list):
        """Override to refuse what was not reserved: nobody would know of its money and
        units.

        :raise AccessError: from anywhere but :meth:`amazon.order._reserve`
        """
        if self.env.context.get("amazon_door") is not _DOOR:
            raise AccessError(
                self.env._(
                    "An action at Amazon comes only from asking for it on the order, "
                    "where its money and units are reserved."
                )
            )
        inside = self.with_context(amazon_door=False)
        return super(AmazonAction, inside).create(vals_list)

    def _create_reserved(self, vals):
        """Create an action whose order is taken, and that is possible.

        :param dict vals: values of the action
        :return: the action
        """
        # no log and no followers: the documents have them, and the click is short
        inside = self.with_context(amazon_door=_DOOR, tracking_disable=True)
        return inside.create(vals).with_env(self.env)

    def _start(self, note):
        """Record what was asked for just now, tell it, and have it go on.

        :param str note: what the person who asked wrote down
        """

        def tell(action):
            action._tell_asked(note)

        if not worked_together(self, tell):
            tell(self)
        self.env["amazon.life"]._note_asked(self)
        if self.state == "assisted":
            self._enqueue_confirm()
        elif self.state == "to_approve":
            self._ask_approval()
        else:
            self._enqueue_dispatch()

    def _tell_asked(self, note):
        """Say what was asked for: in words, in the journal and wherever it follows.

        :param str note: what the person who asked wrote down
        """
        self._write_sentence()
        self._kind()._note_state(self)
        self._journal(
            "recorded" if self.state == "assisted" else "asked",
            state_to=self.state,
            message=self._asked_message(),
        )
        self.with_context(amazon_note=note)._let_follow()


def _value(part):
    return part() if callable(part) else part
