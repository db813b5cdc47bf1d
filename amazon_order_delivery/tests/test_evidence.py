from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.amazon_order_actions.tests.common import SHIPPED
from odoo.addons.amazon_order_actions.tests.evidence.test_evidence import (
    EvidenceCommon,
)


@tagged("post_install", "-at_install")
class TestEvidenceOfDelivery(EvidenceCommon):
    """What left the warehouse is evidence, too."""

    def test_delivery_and_its_tracking_number_are_told(self):
        product = self.env["product.product"].create(
            {"name": "Kessel", "type": "consu", "default_code": "NW-KESSEL-12-SW"}
        )
        sale_order = self.create_sale_order(
            SHIPPED,
            order_line=[
                Command.create({"product_id": product.id, "product_uom_qty": 1})
            ],
        )
        sale_order.action_confirm()
        picking = sale_order.picking_ids
        picking.carrier_tracking_ref = "JJD000390007"
        picking.move_ids.quantity = 1
        picking.button_validate()
        self.assertEqual(picking.state, "done")
        text, _files = self.make(sale_order, language="en")
        self.assertIn("JJD000390007", text)
        self.assertIn(picking.name, text)
        self.assertIn("shipped", self.happened(sale_order))
