from odoo.fields import Command
from odoo.tests import Form, tagged

from odoo.addons.amazon_order_actions.tests.common import UNSHIPPED, AmazonOrderCommon

LAMP, BULBS = "NW-LEUCHTE-TISCH-01", "NW-LED-E27-3ER"


@tagged("post_install", "-at_install")
class TestShipFromDelivery(AmazonOrderCommon):
    """The dialog is filled in from the delivery in Odoo."""

    def create_delivery(self, units, carrier=False, tracking=False):
        """Ship units of a sale order in Odoo, as the warehouse does.

        :param dict units: units by SKU
        """
        sale_order = self.create_sale_order(UNSHIPPED)
        products = self.env["product.product"].create(
            [
                {"name": sku, "default_code": sku, "is_storable": True}
                for sku in (LAMP, BULBS)
            ]
        )
        sale_order.order_line = [
            Command.create({"product_id": product.id, "product_uom_qty": 2})
            for product in products
        ]
        sale_order.action_confirm()
        return sale_order, self.deliver(sale_order, units, carrier, tracking)

    def deliver(self, sale_order, units, carrier=False, tracking=False):
        picking = sale_order.picking_ids.filtered(lambda p: p.state != "done")
        for move in picking.move_ids:
            move.quantity = units.get(move.product_id.default_code, 0)
            move.picked = True
        picking.write({"carrier_id": carrier, "carrier_tracking_ref": tracking})
        picking._action_done()
        return picking

    def create_carrier(self, name):
        product = self.env["product.product"].create(
            {"name": "Shipping", "type": "service"}
        )
        return (
            self.env["delivery.carrier"]
            .create({"name": name, "product_id": product.id, "fixed_price": 5})
            .id
        )

    def test_dialog_is_filled_in_from_the_delivery(self):
        carrier = self.create_carrier("DHL Paket")
        sale_order, picking = self.create_delivery({BULBS: 2}, carrier, "JJD0001")
        other = self.create_sale_order(UNSHIPPED)
        with Form(self.open_request(other, "ship")) as form:
            self.assertEqual(form.delivery_name, picking.name)
            self.assertEqual(form.carrier_code, "DHL")
            self.assertEqual(form.tracking_number, "JJD0001")
        units = {
            line.sku: line.quantity
            for line in self.open_request(sale_order, "ship").line_ids
        }
        self.assertEqual(units, {LAMP: 0, BULBS: 2})

    def test_next_dialog_takes_the_next_delivery(self):
        sale_order, first = self.create_delivery({BULBS: 2}, tracking="A1")
        second = self.deliver(sale_order, {LAMP: 2}, tracking="A2")
        request = self.open_request(sale_order, "ship")
        self.assertEqual(request.delivery_name, first.name)
        request.carrier_code = "DHL"
        request.action_ship()
        request = self.open_request(sale_order, "ship")
        self.assertEqual(request.delivery_name, second.name)
        self.assertEqual(request.tracking_number, "A2")
        self.assertEqual(request.line_ids.mapped("quantity"), [1], "not more than left")

    def test_carrier_is_known_by_its_name_or_is_another_one(self):
        order = self.create_sale_order(UNSHIPPED).amazon_order_id
        for name, expected in (
            ("Correos Express 24h", ("Correos Express", False)),
            ("ups standard", ("UPS", False)),
            ("Groupsend", ("Other", "Groupsend")),
            (False, (False, False)),
        ):
            picking = self.env["stock.picking"].new(
                {"carrier_id": self.env["delivery.carrier"].new({"name": name})}
            )
            self.assertEqual(order._carrier_of(picking), expected)
