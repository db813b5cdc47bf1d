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
        request.origin._fetch_to_ask()
        request.origin.check_access("read")
        order_sudo = self.sudo()
        actions_sudo = self.env["amazon.action"].sudo()
        now, known_id, is_list_ahead = order_sudo._take_asking(
            actions_sudo._asked_before_sql(request.nonce),
            self.env["amazon.watermark"]._is_ahead_sql(),
        )
        # not before: what is known of the order then is read again
        self._check_origin(request.origin)
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
        vals = order_sudo._prepare_reserved(handler, request, now)
        order_sudo._forget_where_ahead(now, is_list_ahead)
        action_sudo = actions_sudo._begin(vals, request.note)
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

    # === HOOKS - DOCUMENTS === #

    @api.model
    def _document_models(self):
        """Hook: return the models of documents that belong to Amazon orders, each
        empty.

        :rtype: list
        """
        return []

    @api.model
    def _document(self, model, record_id):
        """Hook: return a document by model and id.

        :param str model: name of a model of documents; anything else names nothing
        """
        raise NotImplementedError
