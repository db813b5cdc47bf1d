from odoo.tests import tagged
from odoo.tests.common import JsonRpcException

from ..common import SHIPPED
from ..evidence.test_evidence import EvidenceCommon
from .test_tours import ToursCommon

PACKS = [("kind", "=", "pack")]


@tagged("post_install", "-at_install")
class TestToursEvidence(EvidenceCommon, ToursCommon):
    """An agent makes the evidence pack, in a browser."""

    def test_evidence_of_a_ticket_is_made_in_another_language(self):
        ticket = self.create_case()
        self.receive(ticket)
        self.run_tour(ticket, "amazon_ticket_evidence")
        files = self.env["amazon.file"].search(PACKS)
        pdf = files.filtered(lambda each: each.mimetype == "application/pdf")
        self.assertEqual(len(files), 2)
        self.assertIn("En bref", self.text_of(pdf._bytes()))

    def test_evidence_of_a_sale_order(self):
        self.run_tour(self.create_sale_order(SHIPPED), "amazon_sale_order_evidence")

    def test_agent_without_right_is_refused_over_rpc(self):
        ticket = self.create_case()
        self.authenticate(self.trainee.login, self.trainee.login)
        for model, method, args in (
            ("helpdesk.ticket", "action_amazon_evidence", ticket.ids),
            (
                "amazon.evidence.request",
                "create",
                {"origin_model": ticket._name, "origin_id": ticket.id},
            ),
            ("amazon.evidence", "_make", ticket.ids),
        ):
            with (
                self.subTest(model=model, method=method),
                self.assertRaises(JsonRpcException),
            ):
                self.make_jsonrpc_request(
                    f"/web/dataset/call_kw/{model}/{method}",
                    {"model": model, "method": method, "args": [args], "kwargs": {}},
                )
        self.assertFalse(self.env["amazon.file"].search_count(PACKS))
