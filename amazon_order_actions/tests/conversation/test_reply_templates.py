import hashlib
from contextlib import suppress

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from ..common import SHIPPED
from .test_reply import ReplyCommon

OWN = "Wir erstatten ${amount} zu ${order}, Ihr ${shop}."


@tagged("post_install", "-at_install")
class TestReplyTemplates(ReplyCommon):
    """What a company tells its buyers is its own, and who changed it is known."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shipped = cls.env.ref("amazon_order_actions.reply_template_refund_asked_de")
        cls.other = cls._create_company(name="Another")
        cls.stranger = cls.env["res.users"].create(
            {
                "name": "Administrator of another company",
                "login": "amazon_stranger",
                "company_id": cls.other.id,
                "company_ids": [Command.set(cls.other.ids)],
                "group_ids": [
                    Command.link(cls.env.ref("amazon_order_actions.group_admin").id)
                ],
            }
        )

    def as_user(self, template, user):
        return template.with_user(user).with_context(
            allowed_company_ids=user.company_ids.ids
        )

    def own(self, user=None, **values):
        user = user or self.admin
        return self.as_user(self.shipped, user).copy({"body": OWN, **values})

    def entries(self):
        entries = self.env["amazon.audit.entry"].sudo()
        return entries.search([("event", "=", "template")], order="id")

    def test_text_of_another_company_is_shown_in_no_dialog(self):
        self.stranger.company_ids += self.company
        theirs = self.as_user(self.shipped, self.stranger).copy({"body": OWN})
        self.assertEqual(theirs.company_id, self.other)
        request = self.open_reply(self.create_sale_order(SHIPPED))
        named = {"template_id": theirs.id}
        asked = {"template_id": {}, "text": {}, "subject": {}}
        documents = {
            "order_id": request.order_id.id,
            "origin_model": request.origin_model,
            "origin_id": request.origin_id,
        }
        empty = request.browse()
        defaults = self.env["ir.default"].with_user(self.agent)
        for ask in (
            lambda: request.onchange(named, ["template_id"], asked),
            lambda: empty.onchange(named | documents, ["template_id"], asked),
            lambda: empty.onchange(
                documents | {"template_id": {"id": theirs.id}}, ["template_id"], asked
            ),
            lambda: empty.with_context(default_template_id=theirs.id).onchange(
                documents, [], asked
            ),
            lambda: (
                defaults.set(request._name, "template_id", theirs.id, True)
                and empty.onchange(documents, [], asked)
            ),
            lambda: request.write(named) and request.read(["text"]),
            lambda: request.create(documents | named).read(["text"]),
        ):
            self.env.flush_all()
            self.env.invalidate_all()
            number = ask.__code__.co_firstlineno
            with self.subTest(line=number), self.assertRaises(AccessError):
                with self.env.cr.savepoint():
                    ask()
        own = self.own(subject="Own ${order}")
        answer = request.onchange({"template_id": own.id}, ["template_id"], asked)
        self.assertIn("Own", answer["value"]["subject"])

    def test_what_comes_with_the_addon_is_changed_by_nobody(self):
        shipped = self.as_user(self.shipped, self.admin)
        self.admin.group_ids = [Command.link(self.env.ref("base.group_system").id)]
        self.assertFalse(shipped.company_id)
        with self.assertRaisesRegex(UserError, "Duplicate it"):
            shipped.body = OWN
        with self.assertRaisesRegex(UserError, "Duplicate it"):
            shipped.company_id = self.company
        with self.assertRaisesRegex(UserError, "Duplicate it"):
            shipped.unlink()
        others = shipped | self.own()
        with self.assertRaisesRegex(UserError, "Duplicate it"):
            others.write({"subject": "${order}"})
        with self.assertRaises(AccessError):
            self.own(company_id=False)

    def test_translations_are_no_way_around(self):
        shipped = self.as_user(self.shipped, self.admin)
        before = shipped.body
        shipped_or_none = shipped.with_context(lang="de_DE", install_mode=True)
        with self.assertRaises(UserError):
            shipped_or_none.body = "x"
        with suppress(AccessError, UserError):
            shipped.update_field_translations("body", {"en_US": "x", "de_DE": "x"})
        self.env.invalidate_all()
        self.assertEqual(self.shipped.body, before)

    def test_own_text_comes_first_and_for_its_company_alone(self):
        own = self.own()
        self.assertEqual(own.company_id, self.company)
        find = self.env["amazon.reply.template"]._find
        self.assertEqual(find("refund", "asked", "de", self.company), own)
        self.assertEqual(find("refund", "asked", "de", self.other), self.shipped)
        # in the buyer's language rather than one's own in English
        english = self.own(lang="en", stage="submitted")
        self.assertNotEqual(find("refund", "submitted", "de", self.company), english)
        self.assertEqual(find("refund", "submitted", "en", self.company), english)

    def test_buyer_reads_the_text_of_the_company(self):
        self.own(stage="submitted")
        sale_order = self.create_sale_order(SHIPPED)
        request = self.open_request(sale_order, "refund")
        request.reply_state = "submitted"
        self.assertIn("Wir erstatten", request.reply_preview)
        self.refund_with_reply(sale_order, "submitted")
        self.run_jobs("_job_dispatch")
        self.run_jobs("_job_reply")
        self.assertIn("Wir erstatten 44,94 €", self.text_of(self.mails()))
        self.assertIn("Wir erstatten", self.open_reply(sale_order).text)

    def test_administrator_of_another_company_changes_and_reads_nothing(self):
        own = self.as_user(self.own(), self.stranger)
        for change in (
            lambda: own.write({"body": "x"}),
            lambda: own.unlink(),
            lambda: own.copy(),
            lambda: own.body,
            lambda: self.own(self.stranger, company_id=self.company.id, lang="fr"),
        ):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                change()
            self.env.invalidate_all()
        found = own.search([("company_id", "!=", False)])
        self.assertFalse(found)
        self.assertTrue(self.own(self.stranger))

    def test_text_stays_in_its_company(self):
        own = self.own()
        self.admin.company_ids = [Command.link(self.other.id)]
        own = self.as_user(own, self.admin)
        with self.assertRaisesRegex(UserError, "stays in its company"):
            own.company_id = self.other
        with self.assertRaisesRegex(UserError, "stays in its company"):
            own.company_id = False

    def test_journal_has_who_changed_what(self):
        own = self.own()
        written = self.entries()
        self.assertEqual(written.user_id, self.admin)
        self.assertEqual(written.company_id, self.company)
        self.assertEqual(written.origin_id, own.id)
        self.assertFalse(written.value_before)
        digest = hashlib.sha256(OWN.encode()).hexdigest()
        self.assertIn(f"body sha256:{digest}", written.value_after)
        self.assertNotIn("Wir erstatten", str(written.read()))
        own.body = f"{OWN} Danke."
        changed = self.entries() - written
        self.assertEqual(changed.value_before, written.value_after)
        self.assertNotEqual(changed.value_after, changed.value_before)
        own.body = f"{OWN} Danke."
        self.assertEqual(self.entries(), written | changed)
        own.unlink()
        removed = self.entries() - written - changed
        self.assertEqual(removed.value_before, changed.value_after)
        self.assertFalse(removed.value_after)

    def test_several_are_journaled_one_by_one(self):
        templates = self.own() | self.own(lang="fr")
        templates.write({"subject": "Zu ${order}"})
        self.assertEqual(len(self.entries()), 4)
        templates.unlink()
        self.assertEqual(len(self.entries()), 6)

    def test_agents_read_and_change_nothing(self):
        own = self.as_user(self.own(), self.agent)
        self.assertTrue(own.body)
        for change in (lambda: own.write({"body": "x"}), own.unlink, own.copy):
            with self.assertRaises(AccessError):
                change()
