from unittest.mock import patch

from odoo.exceptions import ConcurrencyError
from odoo.tests import tagged
from odoo.tools import file_open

from ..common import SHIPPED, AmazonCommon


@tagged("post_install", "-at_install")
class TestMail(AmazonCommon):
    """A buyer's mail becomes a ticket that knows its order."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._open_mailbox()

    def receive(self, name):
        """Hand a mail to Odoo's gateway, as a mail server does."""
        path = f"amazon_helpdesk_actions/tests/data/{name}.eml"
        with file_open(path, "rb") as file:
            raw = file.read()
        # as it arrives at the alias of this company's team
        raw = raw.replace(b"amazon@nordlicht.example", b"orders@shop.example")
        thread_id = self.env["mail.thread"].message_process(False, raw)
        self.run_jobs("_job_read_mailed")
        return self.env["helpdesk.ticket"].browse(thread_id)

    def test_number_in_the_subject_is_found_and_read(self):
        ticket = self.receive("relay_de_number_in_subject")
        self.assertEqual(ticket.amazon_order_ref, SHIPPED)
        self.assertEqual(ticket.amazon_order_id.read_state, "read")
        self.assertEqual(ticket.company_id, self.company)

    def test_number_in_an_html_body_is_found(self):
        ticket = self.receive("relay_fr_number_in_html")
        self.assertTrue(ticket.amazon_order_ref)
        self.assertEqual(ticket.amazon_order_id.read_state, "read")

    def test_several_numbers_take_the_first_and_say_so(self):
        ticket = self.receive("relay_gb_several_numbers")
        self.assertTrue(ticket.amazon_order_ref)
        self.assertIn("several Amazon orders", " ".join(self.notes(ticket)))

    def test_mail_without_a_number_becomes_a_ticket_all_the_same(self):
        ticket = self.receive("relay_de_without_number")
        self.assertTrue(ticket)
        self.assertFalse(ticket.amazon_order_ref)
        self.assertFalse(ticket.amazon_order_panel["order"])

    def test_later_mail_that_names_the_order_is_taken(self):
        ticket = self.receive("relay_de_without_number")
        ticket.message_update({"subject": f"Order {SHIPPED}", "body": "", "to": ""})
        self.assertEqual(ticket.amazon_order_ref, SHIPPED)

    def test_later_mail_does_not_change_a_known_order(self):
        ticket = self.receive("relay_de_number_in_subject")
        ticket.message_update({"subject": "999-1234567-1234567", "body": "", "to": ""})
        self.assertEqual(ticket.amazon_order_ref, SHIPPED)

    def test_mail_is_not_lost_when_somebody_records_its_order_at_the_moment(self):
        orders = type(self.env["amazon.order"])
        busy = patch.object(orders, "_get_or_create", side_effect=ConcurrencyError)
        with busy:
            ticket = self.receive("relay_de_number_in_subject")
        self.assertEqual(ticket.amazon_order_ref, SHIPPED)
        self.assertFalse(ticket.amazon_order_id)
        self.run_jobs("_job_link_mailed")
        self.assertTrue(ticket.amazon_order_id)
