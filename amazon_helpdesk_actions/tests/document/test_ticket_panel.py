from odoo.tests import Form, tagged

from odoo.addons.amazon_order_actions.tests.document.test_order_panel import (
    OrderPanelCommon,
)

from ..common import GIFT_WRAPPED, SHIPPED, UNSHIPPED, AmazonCommon


@tagged("post_install", "-at_install")
class TestTicketPanel(OrderPanelCommon, AmazonCommon):
    """What the panel costs in tickets."""

    def create_document(self, ref):
        return self.create_ticket(ref)

    def test_number_that_is_being_typed_is_not_said_to_be_without_account(self):
        with Form(self.create_ticket()) as form:
            form.amazon_order_ref = SHIPPED
            self.assertFalse(any(form.amazon_order_panel.values()))

    def test_form_costs_at_most_four_queries_more(self):
        ticket = self.create_busy().with_user(self.agent)
        self.create_alarm()
        specification = Form(ticket)._view["fields_spec"]
        self.assertIn("amazon_order_panel", specification)
        bare = self.without_amazon(specification)
        more = self.count_queries(
            lambda: ticket.web_read(specification)
        ) - self.count_queries(lambda: ticket.web_read(bare))
        self.assertLessEqual(more, 4)

    def test_list_costs_at_most_one_query_more(self):
        for ref in (SHIPPED, UNSHIPPED, GIFT_WRAPPED):
            self.create_ticket(ref)
        tickets = self.env["helpdesk.ticket"].with_user(self.agent)
        view = tickets.get_views([(False, "list")])
        names = view["models"]["helpdesk.ticket"]["fields"]
        arch = view["views"]["list"]["arch"]
        specification = {name: {} for name in names if f'name="{name}"' in arch}
        self.assertIn("amazon_order_ref", specification)
        bare = self.without_amazon(specification)
        more = self.count_queries(
            lambda: tickets.web_search_read([], specification)
        ) - self.count_queries(lambda: tickets.web_search_read([], bare))
        self.assertLessEqual(more, 1)
