from types import SimpleNamespace
from unittest.mock import patch

from odoo.tests import tagged

from ..common import SHIPPED, AmazonOrderCommon

BUS = "odoo.addons.bus.models.ir_websocket"


@tagged("post_install", "-at_install")
class TestWebsocket(AmazonOrderCommon):
    """Only those hear of an order who may read it."""

    def channels(self, user, names, company):
        env = self.env(user=user, context={"allowed_company_ids": company.ids})
        fake = SimpleNamespace(session=SimpleNamespace(uid=user.id))
        with patch(f"{BUS}.request", fake):
            channels = env["ir.websocket"]._build_bus_channel_list(names)
        orders = [c for c in channels if isinstance(c, type(env["amazon.order"]))]
        texts = [c for c in channels if isinstance(c, str)]
        return orders, texts

    def test_reader_listens_to_the_order(self):
        order = self.create_sale_order(SHIPPED).amazon_order_id
        name = f"amazon_order_{order.id}"
        orders, texts = self.channels(self.trainee, [name], self.company)
        self.assertEqual(orders, [order])
        self.assertNotIn(name, texts)

    def test_user_without_access_does_not_listen(self):
        order = self.create_sale_order(SHIPPED).amazon_order_id
        plain = self._create_user("plain")
        name = f"amazon_order_{order.id}"
        orders, texts = self.channels(plain, [name], self.company)
        self.assertFalse(orders)
        self.assertNotIn(name, texts)

    def test_other_company_does_not_listen(self):
        order = self.create_sale_order(SHIPPED).amazon_order_id
        company = self._create_company(name="Strangers")
        self.trainee.write(
            {"company_ids": [(6, 0, company.ids)], "company_id": company.id}
        )
        name = f"amazon_order_{order.id}"
        orders, _texts = self.channels(self.trainee, [name], company)
        self.assertFalse(orders)

    def test_order_that_does_not_exist_is_no_error(self):
        name = "amazon_order_999999999"
        orders, texts = self.channels(self.trainee, [name], self.company)
        self.assertFalse(orders)
        self.assertNotIn(name, texts)

    def test_channel_that_names_no_order_is_none(self):
        order = self.create_sale_order(SHIPPED).amazon_order_id
        for said in ("", "-1", "%", f"{order.id}x", f" {order.id}", "9" * 5000):
            orders, _texts = self.channels(
                self.trainee, [f"amazon_order_{said}"], self.company
            )
            self.assertFalse(orders)
