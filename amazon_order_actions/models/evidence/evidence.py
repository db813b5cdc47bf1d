import hashlib
import io
import json
import zipfile
from functools import partial
from pathlib import Path

from odoo import api, models
from odoo.exceptions import AccessError, UserError

from ...report.evidence_facts import Document, Entry
from ...report.evidence_story import list_entries, to_pdf
from ...report.evidence_words import Words
from ...spapi.errors import UnreadableReport
from ...spapi.excerpts import cut_envelope, cut_report
from ...verify_journal import __file__ as VERIFIER
from ...verify_journal import verify
from ..conversation.reply_rules import LANGUAGES, language_of

#: Whoever has one of these may have a pack of what he may read.
GROUPS = ("refund", "cancel", "edit", "message", "approve", "journal", "admin")

#: Bytes. A larger document of Amazon is not put into a pack; feeds have at most 10 MiB
#: (Amazon's feeds guide).
MAX_DOCUMENT = 30 * 1024 * 1024
#: Feeds that one order was part of; far more than any order needs.
MAX_FEEDS = 50


class AmazonEvidence(models.AbstractModel):
    """The evidence pack of an order: a PDF for a claim at Amazon, and a ZIP with what
    proves it.

    Facts are collected in evidence/facts.py; the pages are written in report/.
    """

    _name = "amazon.evidence"
    _inherit = "amazon.evidence.facts"
    _description = "Amazon Evidence Pack"

    # === WHO MAY === #

    @api.model
    def _check_right(self, document):
        """Refuse who may not have the evidence of a document.

        The groups are asked of the real user also in sudo mode.

        :param document: an Amazon order, or a document of one
        :raise AccessError: when the user may not read it, or is in none of the groups
        """
        has_group = self.env.user.has_group
        if not any(has_group(f"amazon_order_actions.group_{g}") for g in GROUPS):
            raise AccessError(
                self.env._(
                    "You may not make evidence packs. An administrator can grant you "
                    "one of the rights on Amazon orders, such as Refunds or Journal."
                )
            )
        document.check_access("read")
        if document.sudo().company_id not in self.env.companies:
            raise AccessError(
                self.env._(
                    "%s belongs to a company that you are not working in. Switch to "
                    "it first.",
                    document.sudo().display_name,
                )
            )

    @api.model
    def _order_of(self, document):
        """Return the Amazon order of a document, in sudo mode."""
        if document._name == "amazon.order":
            return document.sudo()
        return document._get_amazon_order()

    # === MAKING === #

    @api.model
    def _make(
        self,
        document,
        language=None,
        with_messages=True,
        with_notes=False,
        with_journal=False,
    ):
        """Make the pack of a document, keep it there, and write it into the journal.

        :param document: an Amazon order, or a document of one
        :param str language: one of `reply_rules.LANGUAGES`; that of the marketplace
            when None
        :param bool with_messages: whether it holds the conversation of the document
        :param bool with_notes: whether it holds internal notes, too
        :param bool with_journal: whether the ZIP holds the journal's entries as they
            are, which only those get who may read the journal
        :return: the PDF and the ZIP
        :rtype: amazon.file
        :raise AccessError: when the user may not
        :raise UserError: when the document has no Amazon order
        """
        document.ensure_one()
        self = self.sudo(False)
        document = document.with_env(self.env)
        self._check_right(document)
        if with_journal:
            self.env["amazon.audit.check"]._check_right()
        order = self._order_of(document)
        if not order:
            raise UserError(
                self.env._(
                    "%s has no Amazon order, so there is nothing to prove. Enter the "
                    "number of the Amazon order first.",
                    document.display_name,
                )
            )
        language = language or language_of(order.marketplace)
        if language not in dict(LANGUAGES):
            raise UserError(self.env._("Choose one of the languages of the list."))
        facts = self._facts(document, with_messages, with_notes)
        facts.with_journal = with_journal
        words = Words(language, order.marketplace, facts.zone)
        facts.documents = self._documents(order, facts, words)
        pdf = to_pdf(facts, words)
        name = f"evidence-{order.amazon_order_ref}-{language}"
        packed = self._zip(facts, f"{name}.pdf", pdf)
        self._journal(document, order, pdf, packed, with_journal)
        files = self._keep(document, order.company_id, f"{name}.pdf", pdf)
        files += self._keep(
            document, order.company_id, f"{name}.zip", packed, with_journal
        )
        self._note(document, order, files)
        return files

    def _keep(self, document, company, name, content, with_journal=False):
        return self.env["amazon.file"]._keep(
            document,
            company,
            "pack",
            name,
            content,
            mimetype=f"application/{name.rpartition('.')[2]}",
            with_journal=with_journal,
        )

    def _journal(self, document, order, pdf, packed, with_journal):
        """Append to the journal that the pack was made."""
        digests = {
            "pdf": hashlib.sha256(pdf).hexdigest(),
            "zip": hashlib.sha256(packed).hexdigest(),
        }
        message = (
            self.env._("An evidence pack was made, with entries of the journal.")
            if with_journal
            else self.env._("An evidence pack was made.")
        )
        self.env["amazon.audit.entry"]._append(
            [
                {
                    "event": "evidence",
                    "company_id": order.company_id.id,
                    "account_id": order.account_id.id,
                    "amazon_order_ref": order.amazon_order_ref,
                    "origin_model": document._name,
                    "origin_id": document.id,
                    "origin_name": document.sudo()[document._rec_name],
                    "message": message,
                    "value_after": json.dumps(digests, sort_keys=True),
                }
            ]
        )

    def _note(self, document, order, files):
        """Write down on the document that the pack was made. The note names the files
        and has none of them: whoever is shown it later can do nothing with it."""
        if "message_ids" in document:
            document.sudo()._message_log(
                body=self.env._(
                    "%(user)s made the evidence pack of the Amazon order %(order)s: "
                    "%(files)s. It is kept under Evidence.",
                    user=self.env.user.name,
                    order=order.amazon_order_ref,
                    files=", ".join(files.mapped("name")),
                ),
                author_id=self.env.user.partner_id.id,
            )

    # === THE FILES OF THE ZIP === #

    def _documents(self, order, facts, words):
        """Return what is in the ZIP besides the PDF.

        :rtype: list[Document]
        """
        documents = []
        for feed, actions in order.action_ids.grouped("feed_id").items():
            if feed and len(documents) < 2 * MAX_FEEDS:
                documents += self._feed_documents(order, feed, actions)
        documents += self._journal_documents(order, facts, words)
        if facts.messages:
            text = "\n\n\n".join(
                f"[{message.who} {message.author} {message.at} UTC]\n{message.text}"
                for message in facts.messages
            )
            documents.append(Document("messages.txt", text.encode()))
        return documents

    def _feed_documents(self, order, feed, actions):
        """Return what was sent with a feed and what Amazon answered, cut to the order:
        other orders in it are of other buyers."""
        numbers = actions.mapped("message_number")
        count = feed.message_count or len(feed.action_ids)
        cut_answer = partial(cut_report, is_shared=count > len(actions))
        parts = (
            ("sent", feed.payload_file_id, feed.payload_digest, cut_envelope),
            ("answer", feed.report_file_id, feed.report_digest, cut_answer),
        )
        documents = []
        for part, file, digest, cut in parts:
            if not digest:
                continue
            document = Document(
                f"amazon/feed-{feed.feed_ref or feed.id}-{part}.xml",
                whole_digest=digest,
            )
            documents.append(document)
            whole = self._read(file)
            if whole is None:
                continue
            try:
                content, _left_out = cut(whole, order.amazon_order_ref, numbers)
            except UnreadableReport:
                # nothing tells which part of it is about which order
                continue
            document.content = content
            document.is_excerpt = content != whole
            document.is_changed = hashlib.sha256(whole).hexdigest() != digest
        return documents

    def _read(self, file):
        """Return what is kept of a document, or None where it is not, or too large."""
        if not file or not 0 < file.size <= MAX_DOCUMENT:
            return None
        return file._bytes() or None

    def _journal_documents(self, order, facts, words):
        """Return what checking the journal's entries on the order says, and their
        digests; the entries themselves for those alone who asked for them and may read
        them, since they hold internal words, logins and numbers of other documents."""
        entries = self._entries(order)
        lines = list(entries._export_lines())
        rows = [row for row in map(json.loads, lines) if "journal" not in row]
        facts.entries = [
            Entry(
                number=row["number"],
                at=row["occurred_at"],
                event=" ".join(filter(None, (row["event"], row["state_to"]))),
                digest=row["entry_digest"] or row["digest"] or "",
            )
            for row in rows
        ]
        head = self.env["amazon.audit.link"].sudo()._head(order.company_id.id)
        facts.chain_number, facts.chain_head = head.number, head.hash or ""
        if not lines:
            return []
        report = verify(lines, self._anchors(order.company_id, rows) or None)
        facts.entries_hold = report.holds
        self._read_check(order.company_id, facts)
        verification = Document("journal/verification.txt", report.text().encode())
        if not facts.with_journal:
            digests = list_entries(facts, words).encode()
            return [Document("journal/digests.txt", digests), verification]
        return [
            Document("journal/journal.jsonl", "".join(lines).encode()),
            verification,
            Document("journal/verify_journal.py", Path(VERIFIER).read_bytes()),
        ]

    def _read_check(self, company, facts):
        """Take what the last check of the company's whole journal has shown: that none
        of the order's entries was left out or put in is seen by nothing else."""
        check_sudo = (
            self.env["amazon.audit.check"]
            .sudo()
            .search(
                [("company_id", "=", company.id), ("finished_at", "!=", False)],
                order="finished_at DESC, id DESC",
                limit=1,
            )
        )
        facts.check_state = check_sudo.state or ""
        facts.check_at = check_sudo.finished_at
        facts.check_number = check_sudo.number

    def _anchors(self, company, rows):
        """Return the anchors that name one of these entries, for the verifier."""
        numbers = [row["number"] for row in rows if row["number"]]
        anchors = (
            self.env["amazon.audit.anchor"]
            .sudo()
            .search([("company_id", "=", company.id), ("number", "in", numbers)])
        )
        return [
            {
                "company_id": company.id,
                "number": anchor.number,
                "hash": anchor.hash,
                "anchored_at": str(anchor.anchored_at),
            }
            for anchor in anchors
        ]

    def _zip(self, facts, name, pdf):
        """Return the ZIP: the PDF, the other files, and a list of all digests.

        :rtype: bytes
        """
        documents = [Document(name, pdf)]
        documents += [each for each in facts.documents if each.content is not None]
        sums = "".join(f"{each.digest}  {each.name}\n" for each in documents)
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for each in [*documents, Document("SHA256SUMS.txt", sums.encode())]:
                info = zipfile.ZipInfo(each.name, facts.made_at.timetuple()[:6])
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, each.content)
        return file.getvalue()


class AmazonOrderMixin(models.AbstractModel):
    _inherit = "amazon.order.mixin"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    def action_amazon_evidence(self):
        """Open the dialog that makes the evidence pack. Sends nothing to Amazon."""
        return self.env["amazon.evidence.request"]._open(self)


class AmazonOrder(models.Model):
    _inherit = "amazon.order"

    def action_amazon_evidence(self):
        """Open the dialog that makes the evidence pack. Sends nothing to Amazon."""
        return self.env["amazon.evidence.request"]._open(self)
