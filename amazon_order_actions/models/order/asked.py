from odoo import api, models
from odoo.fields import Domain


class AmazonOrderAsked(models.AbstractModel):
    """What people here have asked of Amazon's orders, as far as this room goes by it.

    Who keeps it is a model ``amazon.order.asked.<x>``, in its own room, which inherits
    from this one: that registers it. An order knows none of them.
    """

    _name = "amazon.order.asked"
    _description = "What Is Asked of Amazon Orders"

    # === HOOKS === #

    def _reserved(self, charges):
        """Hook: return the query of what is asked for and may not show in Amazon's
        finances yet.

        :param amazon.order.charge charges: any number
        :return: a query with rows of id of the charge, and amount in the order's
            currency
        :rtype: SQL
        """
        raise NotImplementedError

    def _awaits(self, charge, amount):
        """Hook: say whether somebody waits for Amazon to show a refund.

        :param amazon.order.charge charge: of which
        :param float amount: in the order's currency
        :rtype: bool
        """
        return False

    def _follow(self, order):
        """Hook: let what was asked for follow what Amazon's data, as just read, shows.

        :param amazon.order order: one
        """

    def _awaited_since(self, account):
        """Hook: return since when the latest is awaited that Amazon's data may show.

        :param amazon.seller.account account: of whose orders
        :rtype: datetime | bool
        """
        return False

    def _awaiting(self):
        """Hook: return the domain of the orders of which something is awaited.

        :rtype: Domain
        """
        return Domain.FALSE

    # === ASKING ALL OF THEM === #

    @api.model
    def _all(self):
        """Return all that are registered.

        :rtype: list
        """
        names = self.env.registry.descendants(["amazon.order.asked"], "_inherit")
        return [self.env[name] for name in names if name != "amazon.order.asked"]
