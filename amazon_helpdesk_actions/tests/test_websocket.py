from types import SimpleNamespace
from unittest.mock import patch

from odoo.tests import tagged

from .common import SHIPPED, AmazonCommon

BUS = "odoo.addons.bus.models.ir_websocket"


@tagged("post_install", "-at_install")
class TestWebsocket(AmazonCommon):
    """Only those hear of an order who may read it."""

    def channels(self, user, names, company):
        env = self.env(user=user, context={"allowed_company_ids": company.ids})
        fake = SimpleNamespace(session=SimpleNamespace(uid=user.id))
        with patch(f"{BUS}.request", fake):
            return env["ir.websocket"]._build_bus_channel_list(names)

    def test_reader_listens_to_the_order(self):
        order = self.create_ticket(SHIPPED).amazon_order_id
        name = f"amazon_order_{order.id}"
        channels = self.channels(self.trainee, [name], self.company)
        self.assertIn(order, channels)
        self.assertNotIn(name, channels)

    def test_user_without_access_does_not_listen(self):
        order = self.create_ticket(SHIPPED).amazon_order_id
        plain = self._create_user("plain")
        channels = self.channels(plain, [f"amazon_order_{order.id}"], self.company)
        self.assertNotIn(order, channels)

    def test_other_company_does_not_listen(self):
        order = self.create_ticket(SHIPPED).amazon_order_id
        company = self._create_company(name="Strangers")
        self.trainee.write(
            {"company_ids": [(6, 0, company.ids)], "company_id": company.id}
        )
        channels = self.channels(self.trainee, [f"amazon_order_{order.id}"], company)
        self.assertNotIn(order, channels)

    def test_order_that_does_not_exist_is_no_error(self):
        channels = self.channels(self.trainee, ["amazon_order_999999999"], self.company)
        self.assertNotIn("amazon_order_999999999", channels)
