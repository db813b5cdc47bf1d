from odoo import models


class AmazonOrder(models.Model):
    """What has left the warehouse of an Amazon order, and what has not."""

    _inherit = "amazon.order"

    def _open_deliveries(self):
        """Return the deliveries that have not left, with the steps before them."""
        return self.env["sale.order"]._of_amazon_orders(self)._open_deliveries()

    def _delivered_blocker(self):
        """Why goods that have left cannot be cancelled, or False."""
        return bool(self._delivered_units()) and self.env._(
            "By the deliveries in Odoo these goods have left already: %s. An order "
            "that is shipped is not cancelled: have it returned or refund it. Amazon "
            "takes the refund when it shows the order as shipped.",
            self._delivered_units(),
        )

    def _all_delivered_blocker(self):
        """The same, where no delivery is open any more."""
        return not self._open_deliveries() and self._delivered_blocker()

    def _delivered_units(self):
        """Return what has left the warehouse and is not back, as a person reads it;
        nothing of what Amazon ships."""
        if self.channel != "fbm":
            return ""
        sale_orders = self.env["sale.order"]._of_amazon_orders(self)
        return ", ".join(
            f"{line.qty_delivered:g} × {line.product_id.display_name}"
            for line in sale_orders._delivered_lines()
        )
