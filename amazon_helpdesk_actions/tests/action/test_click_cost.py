from ..common import GIFT_WRAPPED, SHIPPED, AmazonCommon

# Questions to PostgreSQL that confirming a refund may ask, as docs/performance.md has
# them. Odoo's own around a request come on top: the one for what other processes have
# changed, and the wake-up of the bus. Lower it with what is saved; it never rises.
AT_MOST = 26
# What a company saves whose currency is the order's: the rate, and a currency.
FOR_THE_RATE = 2


class TestClickCost(AmazonCommon):
    """What an agent waits for, with a matrix that limits what goes alone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["amazon.authority"].create(
            {
                "company_id": cls.company.id,
                "right": "refund",
                "group_id": cls.env.ref("amazon_order_actions.group_refund").id,
                "limit_action": 1000,
            }
        )

    def use_other_currency(self):
        """Let the company count in pounds, while its orders are in euros."""
        pounds = self.env.ref("base.GBP")
        pounds.active = True
        self.company.currency_id = pounds
        self.env["res.currency.rate"].create(
            [
                {
                    "currency_id": currency.id,
                    "company_id": self.company.id,
                    "name": "2020-01-01",
                    "rate": rate,
                }
                for currency, rate in ((pounds, 1), (self.env.ref("base.EUR"), 2))
            ]
        )

    def count_queries(self):
        """Return what a click asks, the second one of a process, until the commit."""
        counts = []
        for ref in (GIFT_WRAPPED, SHIPPED):
            request = self.open_request(self.create_ticket(ref), "refund")
            request.write({"reason": "CustomerReturn"})
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            request.action_refund()
            self.env.cr.flush()
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(self.last_action().state, "queued")
        return counts[-1]

    def test_click_asks_no_more_than_it_needs(self):
        self.use_other_currency()
        self.assertLessEqual(self.count_queries(), AT_MOST)

    def test_click_in_the_own_currency_asks_less(self):
        self.company.currency_id = self.env.ref("base.EUR")
        self.assertLessEqual(self.count_queries(), AT_MOST - FOR_THE_RATE)
