import re

from odoo.tests import tagged
from odoo.tools import file_open

from odoo.addons.amazon_order_actions.tests.base.test_private_log import (
    NOTE,
    TEXT,
    TITLE,
    PrivateLogCommon,
)

from ..common import SHIPPED, AmazonCommon


@tagged("post_install", "-at_install")
class TestPrivateTickets(PrivateLogCommon, AmazonCommon):
    """What buyers write into tickets is in no log line."""

    def test_refund_from_a_ticket(self):
        ticket = self.create_ticket(
            SHIPPED, name=TITLE, description=TEXT, partner_id=self.partner.id
        )
        action = self.refund_with_reply(ticket, note=NOTE)
        self.settle()
        self.assertIn(action.state, ("accepted", "confirmed"))
        self.assert_private("httpx", "urllib3.connectionpool")

    def test_mail_of_a_buyer(self):
        self._open_mailbox()
        path = "amazon_helpdesk_actions/tests/data/relay_de_number_in_subject.eml"
        with file_open(path, "rb") as file:
            raw = file.read()
        sender = re.search(rb"[\w.+-]+@marketplace\.amazon\.de", raw)[0].decode()
        raw = raw.replace(b"amazon@nordlicht.example", b"orders@shop.example")
        self.env["mail.thread"].message_process(False, raw)
        self.settle()
        self.assert_private("odoo.addons.mail.models.mail_thread")
        self.assertNotIn(sender.partition("@")[0], self.said.getvalue())
