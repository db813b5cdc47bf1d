from datetime import timedelta
from types import MappingProxyType
from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import UserError


class ActionRequest(NamedTuple):
    """What somebody asks of Amazon for one order, as a value.

    Nothing of it is believed: the kind settles and checks it with the order taken.

    :param str kind: the kind of action
    :param origin: the document that it is asked from
    :param str nonce: the same nonce is one action, however often it comes
    :param reason: Amazon's code of the reason, or False
    :param amounts: amount for each ``amazon.order.charge``, in the order's currency
    :param quantities: units of each ``amazon.order.line``
    :param details: what else the kind needs to carry it out
    :param plan: a plain value that only the kind knows, instead of amounts
    :param note: free text; in the assisted way, what was done
    """

    kind: str
    origin: models.Model
    nonce: str
    reason: str | bool = False
    amounts: dict = MappingProxyType({})
    quantities: dict = MappingProxyType({})
    details: dict | None = None
    plan: tuple | None = None
    note: str | bool = False


class AmazonReservation(models.AbstractModel):
    """The one door by which anybody asks for anything on an order.

    Money and units of an order are promised in one transaction that has taken the
    order: two that ask at once meet there, and the later one sees what the earlier one
    was promised. Whoever sends something (a dialog, a reply, whatever else comes to
    ask) goes through here; an action cannot come to be in another way.
    """

    _name = "amazon.reservation"
    _description = "Reservation on an Amazon Order"

    @api.model
    def _reserve(self, order, request):
        """Promise what is asked for, from the current user, and have it sent. Nothing
        is sent here.

        Checks again all that a dialog has shown: the dialog may be old, and this can be
        reached without it.

        :param amazon.order order: one order
        :param ActionRequest request: what is asked for
        :return: the action, the earlier one where the nonce is known
        :rtype: amazon.action
        :raise AccessError: when the user may not ask for this kind, or not here
        :raise UserError: when it is not possible, with the sentence that says why
        """
        order.ensure_one()
        handler = self.env[f"amazon.action.kind.{request.kind}"]
        handler._check_right()
        request.origin._fetch_to_ask()
        request.origin.check_access("read")
        order_sudo = order.with_env(self.env).sudo()
        actions_sudo = self.env["amazon.action"].sudo()
        now, known_id, is_list_ahead = order_sudo._take_asking(
            actions_sudo._asked_before_sql(request.nonce),
            self.env["amazon.watermark"]._is_ahead_sql(),
        )
        # not before: what is known of the order then is read again
        self._check_origin(order_sudo, request.origin)
        if known_id:
            return self.env["amazon.action"].browse(known_id)
        order_sudo._fetch_to_ask()
        handler._check_filled_in(order_sudo, request)
        request = handler._settle(order_sudo, request)
        handler._check_possible(order_sudo, request.amounts)
        handler._check_quantities(order_sudo, request.quantities)
        handler._check_details(order_sudo, request.details or {})
        handler._check_plan(order_sudo, request.plan)
        handler._check_way(order_sudo, request.reason)
        vals = self._prepare_reserved(order_sudo, handler, request, now)
        order_sudo._forget_where_ahead(now, is_list_ahead)
        action_sudo = actions_sudo._begin(vals, request.note)
        return action_sudo.with_env(self.env)

    def _check_origin(self, order_sudo, origin):
        """Refuse documents that the user may not read, or that are about another order.

        :param amazon.order order_sudo: the order
        :param origin: the document that it is asked from
        """
        origin.check_access("read")
        order_sudo.with_env(self.env).check_access("read")
        # also where a server action calls it in sudo mode
        order_sudo._check_working_in(order_sudo.company_id, order_sudo.amazon_order_ref)
        if origin.sudo()._get_amazon_order() != order_sudo:
            raise UserError(
                self.env._(
                    "%(document)s is not about the Amazon order %(order)s. Open it "
                    "again and ask from there.",
                    document=origin.display_name,
                    order=order_sudo.amazon_order_ref,
                )
            )

    def _prepare_reserved(self, order, handler, request, now):
        """Return the values of the action, once the gate has let it pass, or wait.

        :param amazon.order order: taken, in sudo mode
        :param handler: the kind of action
        :param ActionRequest request: settled, and possible
        :param datetime now: when the order was taken, by PostgreSQL's clock
        :rtype: dict
        :raise AccessError: when the user may not have it sent
        """
        origin, amounts = request.origin, request.amounts
        # the limits are those of the user
        actions = handler.env["amazon.action"]
        gate = actions._gate(handler, order, request, now)
        assisted = handler._is_assisted(order)
        return {
            "name": actions._next_name(),
            "kind": request.kind,
            "feed_type": handler._feed_type_for(order, request.reason),
            "state": "assisted" if assisted else "queued",
            "last_state_change": now,
            "order_id": order.id,
            "account_id": order.account_id.id,
            "company_id": order.company_id.id,
            "marketplace": order.marketplace,
            "currency_id": order.currency_id.id,
            "amount": sum(amounts.values()),
            "reason": request.reason,
            "note": request.note,
            "user_id": self.env.uid,
            "asked_at": now,
            "due_at": now + timedelta(seconds=handler._undo_seconds(order)),
            "urgent_from": handler._urgent_from(origin.sudo()),
            "origin_model": origin._name,
            "origin_id": origin.id,
            "origin_name": origin.sudo()._document_number(),
            "nonce": request.nonce,
            "seen_refund_id": order.refund_ids._last_id(),
            "details": request.details,
            "line_ids": actions._prepare_lines(order, amounts, request.quantities),
            **gate,
        }
