from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tests.common import new_test_user

from odoo.addons.amazon_order_actions.tests.evidence.test_evidence import (
    BUYER,
    COMPLAINT,
)
from odoo.addons.amazon_order_actions.tests.evidence.test_evidence import (
    EvidenceCommon as OrderEvidenceCommon,
)

from ..common import SHIPPED, AmazonCommon


class EvidenceCommon(OrderEvidenceCommon, AmazonCommon):
    """The same with tickets as cases."""

    def create_case(self, ref=SHIPPED, **values):
        return self.create_ticket(ref, partner_id=self.buyer.id, **values)


@tagged("post_install", "-at_install")
class TestEvidence(EvidenceCommon):
    """What a pack tells of a ticket."""

    def test_events_stand_in_the_order_in_which_they_happened(self):
        ticket = self.create_told_case()
        facts = self.facts(ticket)
        moments = [event.at for event in facts.events]
        self.assertEqual(moments, sorted(moments))
        mine = ["purchased", "received", "opened", "answered", "queued", "sending"]
        self.assertEqual([event.what for event in facts.events][:6], mine)
        # what Amazon has posted comes before what it confirms
        whats = [event.what for event in facts.events]
        self.assertLess(whats.index("posted"), whats.index("confirmed"))
        known = [event.what for event in facts.events if event.request]
        self.assertEqual(
            known, ["queued", "sending", "submitted", "accepted", "confirmed"]
        )

    def test_request_that_a_person_typed_is_not_called_a_mail_of_the_buyer(self):
        text, _files = self.make(self.create_case(), language="en")
        self.assertIn("Request, as recorded when the case was opened", text)
        self.assertIn("Please help.", text)
        self.assertNotIn("Buyer's first message", text)

    def test_buyer_is_known_by_the_address_of_the_case_however_it_is_written(self):
        ticket = self.create_case(partner_email=f"Berta <{BUYER.upper()}>")
        ticket.partner_id = self.env["res.partner"].create({"name": "Berta B."})
        ticket.partner_email = f"Berta <{BUYER.upper()}>"
        self.receive(ticket, author_id=False)
        self.assertIn("received", self.happened(ticket))

    def test_who_was_the_customer_before_is_not_called_the_buyer_any_more(self):
        ticket = self.create_case()
        self.receive(ticket)
        self.assertIn("received", self.happened(ticket))
        other = self.env["res.partner"].create({"name": "O", "email": "o@x.example"})
        ticket.write({"partner_id": other.id, "partner_email": other.email})
        text, _files = self.make(ticket, language="en")
        self.assertIn("Another sender (Berta Beispiel)", text)
        self.assertNotIn("received", self.happened(ticket))

    def test_number_of_a_ticket_that_the_maker_may_not_read_is_not_told(self):
        own = self._create_own_agent()
        theirs = self.create_case(user_id=self.agent.id)
        self.ask_refund(theirs)
        text, files = self.make(self.create_case(user_id=own.id), own, language="en")
        self.assertNotIn(theirs.number, text + self.plain(files))


@tagged("post_install", "-at_install")
class TestEvidenceAccess(EvidenceCommon):
    """Who may make it of a ticket, and who may read it afterwards."""

    def open(self, document, user):
        action = self.as_user(document, user).action_amazon_evidence()
        return (
            self.env["amazon.evidence.request"]
            .with_user(user)
            .with_context(allowed_company_ids=user.company_ids.ids)
            .browse(action["res_id"])
        )

    def test_it_can_be_made_from_a_sale_order_and_from_the_amazon_order(self):
        sale_order = self.create_sale_order(SHIPPED)
        ticket = self.create_case()
        self.receive(ticket)
        for document in (sale_order, ticket._get_amazon_order()):
            self.open(document, self.agent).action_zip()
            files = self.env["amazon.file"].search(
                [("kind", "=", "pack"), ("res_model", "=", document._name)]
            )
            self.assertEqual(len(files), 2)
            text, files = self.make(document)
            # what was written on a ticket stays with those who may read the ticket
            self.assertNotIn(COMPLAINT, text + str(files))
            self.assertIn("Erste Nachricht des Käufers", text)

    def test_times_of_tickets_that_the_user_may_not_read_are_not_told(self):
        own = self._create_own_agent()
        mine = self.create_case(user_id=own.id)
        theirs = self.create_case(user_id=self.agent.id)
        self.receive(theirs)
        text, _files = self.make(mine, own, language="en")
        self.assertNotIn(theirs.number, text)
        self.assertNotIn("A message from the buyer was received.", text)

    def test_portal_users_neither_make_nor_read_it(self):
        ticket = self.create_case()
        pdf, packed = self.make_files(ticket)
        portal = new_test_user(
            self.env,
            login="amazon_portal",
            groups="base.group_portal",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        ticket.message_subscribe(portal.partner_id.ids)
        self.as_user(ticket, portal).check_access("read")
        with self.assertRaises(AccessError):
            self.make(ticket, portal)
        for file in (pdf, packed):
            with self.assertRaises(AccessError):
                file.with_user(portal).sudo(False).check_access("read")

    def test_who_may_not_read_the_ticket_cannot_read_its_pack(self):
        own = self._create_own_agent()
        ticket = self.create_case(user_id=self.agent.id)
        for file in self.make_files(ticket):
            with self.assertRaises(AccessError):
                self.as_user(file, own).sudo(False).check_access("read")
            self.as_user(file, self.agent).sudo(False).check_access("read")
