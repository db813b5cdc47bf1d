from odoo.tests import tagged

from ..common import THREE_UNITS, UNSHIPPED
from ..conversation.test_reply import ReplyCommon
from .test_tours import ToursCommon


@tagged("post_install", "-at_install")
class TestToursCancel(ToursCommon):
    """What people do with cancellations in a browser."""

    def test_some_items_are_cancelled(self):
        self.run_tour(self.create_ticket(THREE_UNITS), "amazon_cancel_some_items")
        self.assertEqual(self.last_action().state, "confirmed")
        cut = self.executed("quantity_cancellations")
        self.assertEqual([row["quantity"] for row in cut], [2])
        self.assertEqual([row["reason"] for row in cut], ["CustomerCancel"])


@tagged("post_install", "-at_install")
class TestToursOfficialWay(ReplyCommon, ToursCommon):
    """A buyer asked to cancel in a mail, and not in Your Orders."""

    def test_buyer_who_only_wrote_is_sent_to_the_official_way(self):
        self.run_tour(self.create_ticket(UNSHIPPED), "amazon_cancel_official_way")
        self.assertFalse(self.executed("feeds"))
