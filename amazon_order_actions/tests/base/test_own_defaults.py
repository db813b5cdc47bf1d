from psycopg2.errors import CheckViolation

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import SHIPPED, UNSHIPPED, AmazonOrderCommon

LAMP = "NW-LEUCHTE-TISCH-01"
UNKNOWN = "304-1234567-7654321"


@tagged("post_install", "-at_install")
class TestOwnDefaults(AmazonOrderCommon):
    """What a caller of RPC puts into the context, or into ``ir.default``, fills in
    nothing of what is created in sudo mode."""

    def own_models(self):
        """Yield each model of this addon of which nobody may create a record."""
        access = self.env["ir.model.access"]
        created = access.search([("perm_create", "=", True)]).model_id.mapped("model")
        for name, model in self.env.items():
            ours = name.startswith("amazon.") and not model._abstract
            if ours and not model._transient and name not in created:
                yield model

    def test_no_record_that_the_program_makes_takes_defaults_of_a_caller(self):
        checked = 0
        for model in self.own_models():
            if isinstance(model, type(self.env["amazon.audit.append_only"])):
                continue  # appended past the ORM
            names = [
                name
                for name, field in model._fields.items()
                if field.store and field.type == "char"
            ]
            for name in names:
                self.env["ir.default"].with_user(self.agent).set(
                    model._name, name, "forged", user_id=True
                )
            context = {f"default_{name}": "forged" for name in names}
            model = model.with_user(self.agent).with_context(**context)
            self.assertNotIn("forged", model.default_get(names).values(), model._name)
            checked += 1
        self.assertGreater(checked, 10)

    def forged(self, record, **hostile):
        """Return a record with values for another model, as whoever calls by RPC can
        have them: in the context, and among the own defaults, which are not cleaned
        away where Odoo itself cleans the context."""
        model = hostile.pop("model")
        for name, value in hostile.items():
            self.env["ir.default"].with_user(self.agent).set(
                model, name, value, user_id=True
            )
        context = {f"default_{name}": value for name, value in hostile.items()}
        return record.with_context(**context)

    def test_units_get_no_amount_of_another_order(self):
        charge = self.create_sale_order(SHIPPED).amazon_order_id.line_ids.charge_ids[0]
        request = self.open_request(self.create_sale_order(UNSHIPPED), "cancel")
        request.write({"scope": "items", "items_reason": "NoInventory"})
        for line in request.line_ids:
            line.quantity = int(line.sku == LAMP)
        self.forged(
            request,
            model="amazon.action.line",
            charge_id=charge.id,
            amount=-1000.0,
            discount=5.0,
        ).action_cancel_order()
        action = self.last_action()
        self.assertEqual(action.kind, "cancel_items")
        self.assertFalse(action.line_ids.charge_id)
        self.assertFalse(any(action.line_ids.mapped("amount")))
        self.assertEqual(charge.reserved, 0)

    @mute_logger("odoo.sql_db")
    def test_units_with_an_amount_are_refused_by_the_database(self):
        action = self.ask_cancel_items(self.create_sale_order(UNSHIPPED), {LAMP: 1})
        with self.assertRaises(CheckViolation), self.env.cr.savepoint():
            action.line_ids.sudo().write({"amount": -5})
            self.env.flush_all()

    def test_action_takes_nothing_that_was_not_asked(self):
        request = self.open_request(self.create_sale_order(SHIPPED), "refund")
        request.write({"reason": "CustomerReturn", "is_second_meant": True})
        self.forged(
            request,
            model="amazon.action",
            approval_id=1,
            request_ref="forged",
        ).action_refund()
        action = self.last_action()
        for name in ("approval_id", "request_ref"):
            self.assertFalse(action[name], name)

    def test_whoever_writes_a_sale_order_says_nothing_of_the_order(self):
        sale_order = self.create_sale_order()
        forged = {
            "last_update_at": "2099-01-01 00:00:00",
            "complete_at": "2099-01-01 00:00:00",
            "chargeback_found": True,
            "claim_found": True,
            "fulfillment_status": "SHIPPED",
            "channel": "fbm",
        }
        self.forged(
            sale_order.with_user(self.agent), model="amazon.order", **forged
        ).write({"amazon_order_ref": UNKNOWN})
        order = sale_order.amazon_order_id
        self.assertEqual(order.amazon_order_ref, UNKNOWN)
        self.assertEqual(order.read_state, "requested")
        for name in forged:
            self.assertFalse(order[name], name)

    def test_archived_account_is_not_used_for_a_new_order(self):
        """Though a caller says that a search finds what is archived."""
        self.account.active = False
        sale_order = self.create_sale_order()
        writing = sale_order.with_user(self.agent).with_context(active_test=False)
        writing.write({"amazon_order_ref": UNKNOWN})
        self.assertFalse(sale_order.amazon_order_id)
