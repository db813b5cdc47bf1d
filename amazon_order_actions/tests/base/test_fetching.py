from datetime import date

from odoo.exceptions import AccessError

from ...models.base.fetching import columns_held, fetch_along, fetch_family
from ..common import GIFT_WRAPPED, PARTLY_REFUNDED, SHIPPED, AmazonOrderCommon


class TestFetching(AmazonOrderCommon):
    """What is read together is what Odoo reads one by one."""

    def values_of(self, records, names):
        """Return what Odoo reads of records by itself."""
        self.env.flush_all()
        self.env.invalidate_all()
        return [[record[name] for name in names] for record in records]

    def assert_cached(self, records, names, expected):
        before = self.env.cr.sql_log_count
        found = [[record[name] for name in names] for record in records]
        self.assertEqual(self.env.cr.sql_log_count, before)
        self.assertEqual(found, expected)

    # === RECORDS AND THEIR CHILDREN === #

    def test_items_and_charges_are_read_as_odoo_reads_them(self):
        order = self.create_sale_order(GIFT_WRAPPED).amazon_order_id.sudo()
        items = order.line_ids
        names = columns_held(items), columns_held(items.charge_ids)
        charges = [item.charge_ids for item in items]
        self.assertGreater(len(charges[0]), 1)
        expected = [
            self.values_of(items, names[0]),
            [self.values_of(of_item, names[1]) for of_item in charges],
        ]
        self.env.invalidate_all()
        found = fetch_family(items, [("order_id", "=", order.id)], "charge_ids")
        self.assertEqual(found, items)
        self.assert_cached(items, names[0], expected[0])
        for item, of_item, values in zip(items, charges, expected[1], strict=True):
            self.assertEqual(item.charge_ids, of_item)
            self.assert_cached(item.charge_ids, names[1], values)

    def test_item_without_charges_has_none(self):
        order = self.create_sale_order(SHIPPED).amazon_order_id.sudo()
        bare = order.line_ids.copy({"amazon_item_ref": "bare"})
        self.env.flush_all()
        self.env.invalidate_all()
        found = fetch_family(bare, [("order_id", "=", order.id)], "charge_ids")
        self.assertIn(bare, found)
        self.assertFalse(bare.charge_ids)

    def test_what_is_not_written_yet_stays(self):
        order = self.create_sale_order(SHIPPED).amazon_order_id.sudo()
        order.line_ids.title = "Another title"
        fetch_family(order.line_ids, [("order_id", "=", order.id)], "charge_ids")
        self.assertEqual(order.line_ids.title, "Another title")

    def test_dialog_of_somebody_else_is_not_read(self):
        request = self.open_request(self.create_sale_order(SHIPPED), "refund")
        other = self._create_user(
            "amazon_other",
            *self.WORKS_WITH_DOCUMENTS,
            "amazon_order_actions.group_refund",
        )
        self.env.flush_all()
        self.env.invalidate_all()
        theirs = request.with_user(other)
        found = fetch_family(theirs, [("id", "=", request.id)], "line_ids")
        self.assertFalse(found)
        with self.assertRaises(AccessError):
            theirs.action_refund()

    def test_item_that_somebody_else_put_into_a_dialog_is_left_out(self):
        request = self.open_request(self.create_sale_order(GIFT_WRAPPED), "refund")
        mine, theirs = request.line_ids
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE amazon_refund_request_line SET create_uid = %s WHERE id = %s",
            [self.trainee.id, theirs.id],
        )
        self.env.invalidate_all()
        fetch_family(request, [("id", "=", request.id)], "line_ids")
        self.assertEqual(request.line_ids, mine)

    # === RECORDS AND WHAT THEY POINT TO === #

    def test_what_records_point_to_is_read_as_odoo_reads_it(self):
        orders = self.env["amazon.order"].sudo()
        for ref in (SHIPPED, PARTLY_REFUNDED):
            orders |= self.create_sale_order(ref).amazon_order_id.sudo()
        wanted = {
            "": ("account_id", "purchased_at"),
            "account_id": ("company_id", "name"),
            "account_id.company_id": ("currency_id",),
        }
        account = orders.account_id
        expected = [
            self.values_of(records, names)
            for records, names in zip(
                (orders, account, account.company_id), wanted.values(), strict=True
            )
        ]
        self.env.invalidate_all()
        fetch_along(orders, wanted)
        self.assert_cached(orders, wanted[""], expected[0])
        self.assert_cached(account, wanted["account_id"], expected[1])
        self.assert_cached(
            account.company_id, wanted["account_id.company_id"], expected[2]
        )

    def test_nothing_that_is_pointed_to_is_nothing(self):
        sale_order = self.create_sale_order().sudo()
        self.env.flush_all()
        self.env.invalidate_all()
        fetch_along(
            sale_order, {"": ("amazon_order_id",), "amazon_order_id": ("channel",)}
        )
        self.assertFalse(sale_order.amazon_order_id)

    # === NUMBERS === #

    def create_sequence(self, **values):
        return self.env["ir.sequence"].create(
            {"name": "Test", "prefix": "T-%(year)s-", "padding": 4, **values}
        )

    def test_number_is_that_of_odoo(self):
        year = date.today().year
        sequence = self.create_sequence(suffix="-X")
        # what Odoo remembers from call to call
        self.create_sequence()._next_in_one_query()
        self.env.invalidate_all()
        # which year it is depends on the person
        self.assertTrue(self.env.tz)
        before = self.env.cr.sql_log_count
        number = sequence._next_in_one_query()
        self.assertEqual(self.env.cr.sql_log_count - before, 1)
        self.assertEqual(number, f"T-{year}-0001-X")
        self.assertEqual(sequence.next_by_id(), f"T-{year}-0002-X")
        self.assertEqual(sequence._next_in_one_query(), f"T-{year}-0003-X")

    def test_other_sorts_of_sequence_go_the_way_of_odoo(self):
        for values in ({"implementation": "no_gap"}, {"use_date_range": True}):
            sequence = self.create_sequence(**values)
            numbers = [sequence._next_in_one_query(), sequence.next_by_id()]
            self.assertEqual([number[-4:] for number in numbers], ["0001", "0002"])
