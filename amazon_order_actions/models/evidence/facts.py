from datetime import timedelta

from odoo import fields, models
from odoo.tools import email_normalize

from ...report.evidence_facts import (
    Amount,
    Event,
    Facts,
    Item,
    Message,
    Package,
    Posting,
    Request,
)
from ...report.evidence_text import clean, from_html
from ...spapi.excerpts import mask_orders

# The most messages that one pack holds; a sentence says where there are more.
MAX_MESSAGES = 500

# Who is told to have brought a state about, where no person did.
_BY_AMAZON = ("submitted", "accepted", "rejected", "confirmed")
# Events of the journal that have a sentence of their own.
_OWN_SENTENCES = ("handed", "decided", "drop")
# The one status of a mail that is known to have left: others wait, or have failed.
_LEFT = "sent"
# The mail of a reply is written at most so long before its entry in the journal: both
# are of one transaction, whose beginning is the time of the mail.
_LONGEST_REPLY = timedelta(minutes=10)
# What happened in the same second, in the order in which it must have happened.
_RANKS = {
    "purchased": 0,
    "shipped": 1,
    "received": 2,
    "opened": 3,
    "posted": 60,
    # it is confirmed by what Amazon has posted
    "confirmed": 70,
}


class AmazonEvidenceFacts(models.AbstractModel):
    """What a pack tells: facts alone, in no language.

    Whoever calls these methods has checked that the user may read the document. What is
    written is read as that user, all else in sudo mode for this one order.
    """

    _name = "amazon.evidence.facts"
    _description = "Amazon Facts for Evidence"

    def _facts(self, document, with_messages, with_notes):
        """Collect what is known of the Amazon order of a document.

        :param document: an Amazon order, or a document of one, that the user may read
        :param bool with_messages: whether to take the words of the conversation
        :param bool with_notes: whether to take the internal notes, too
        :rtype: Facts
        """
        order = self._order_of(document)
        entries = self._entries(order)
        requests = {action.id: self._request(action) for action in order.action_ids}
        approvals = self._approvals(entries)
        for action_id, name in approvals.items():
            if action_id in requests:
                requests[action_id].approved_by = name
        facts = Facts(
            order_ref=order.amazon_order_ref,
            case=document[document._rec_name] if document._name != order._name else "",
            marketplace=order.marketplace,
            seller=order.account_id._shop_name(),
            seller_id=order.account_id.seller_id,
            channel=order.channel,
            status=order.fulfillment_status,
            read_at=order.read_at,
            purchased_at=order.purchased_at,
            currency=order.currency_id.name or order.company_id.currency_id.name,
            charged=order.charged,
            refunded=order.refunded,
            reserved=order.reserved,
            remaining=order.refundable,
            finances_known=order.finances_state == "read",
            claim_found=order.claim_found,
            chargeback_found=order.chargeback_found,
            made_by=self.env.user.name,
            made_at=fields.Datetime.now(),
            zone=self._zone(order.company_id),
            requests=sorted(requests.values(), key=lambda request: request.asked_at),
            items=[self._item(line) for line in order.line_ids],
            postings=self._postings(order),
            packages=self._packages(order),
            with_messages=with_messages,
            with_notes=with_notes,
        )
        facts.events = self._events(document, order, entries, requests, facts)
        if with_messages or with_notes:
            facts.messages, facts.left_out = self._messages(document, facts)
        return facts

    def _zone(self, company):
        """Return the time zone that the company's people live in."""
        return company.partner_id.tz or company.resource_calendar_id.tz or "UTC"

    def _entries(self, order):
        """Return the journal's entries on an order, the oldest first.

        All of them: evidence from which something is left out proves less.
        """
        return (
            self.env["amazon.audit.entry"]
            .sudo()
            .search(
                [
                    ("amazon_order_ref", "=", order.amazon_order_ref),
                    ("company_id", "=", order.company_id.id),
                ],
                order="id",
            )
        )

    # === WHAT WAS ASKED === #

    def _request(self, action):
        feed = action.feed_id
        refunds = self.env["amazon.order.refund"].sudo()
        adjustments = refunds.search([("action_id", "=", action.id)])
        return Request(
            name=action.name,
            kind=action.kind,
            state=action.state,
            since=action.last_state_change,
            amount=action.amount,
            reason=action.reason or "",
            asked_by=action.user_id.name,
            asked_at=action.asked_at,
            lines=[
                (
                    line.order_line_id._label(),
                    line.component or "",
                    line.amount,
                    line.quantity,
                    line.is_rejected,
                )
                for line in action.line_ids
            ],
            feed_ref=feed.feed_ref or "",
            request_ref=action.request_ref or "",
            message_number=action.message_number,
            amazon_code=action.amazon_code or "",
            amazon_text=mask_orders(
                clean(action.amazon_text), action.order_id.amazon_order_ref
            ),
            refund_refs=[
                f"{action.name}-{lines[0].id}"
                for lines in action.line_ids.grouped("order_line_id").values()
                if action.kind == "refund" and feed
            ],
            adjustment_refs=list(
                dict.fromkeys(filter(None, adjustments.mapped("adjustment_ref")))
            ),
            payload_digest=feed.payload_digest or action.call_id.digest or "",
            report_digest=feed.report_digest or "",
        )

    def _approvals(self, entries):
        """Return who approved which action."""
        return {
            entry.action_id.id: entry.user_id.name
            for entry in entries
            if entry.state_from == "to_approve" and entry.state_to == "queued"
        }

    # === WHAT HAPPENED === #

    def _events(self, document, order, entries, requests, facts):
        """Return what happened, in its order."""
        events = [
            *self._journal_events(entries, requests),
            *self._conversation_events(document, order),
            *(
                Event(
                    at=posting.at,
                    what="posted",
                    who="amazon",
                    values={"amount": posting.amount},
                    references=(("refund", posting.ref),) if posting.ref else (),
                )
                for posting in facts.postings
            ),
            *(
                Event(
                    at=package.at,
                    what="shipped",
                    who="seller",
                    values={"delivery": package.ref},
                    references=(("tracking", f"{package.carrier} {package.tracking}"),)
                    if package.tracking
                    else (),
                )
                for package in facts.packages
                if package.at
            ),
        ]
        if order.purchased_at:
            events.append(Event(order.purchased_at, "purchased", "buyer"))
        return sorted(
            events, key=lambda event: (event.at, _RANKS.get(event.what, 9), event.rank)
        )

    def _journal_events(self, entries, by_action):
        events, decided = [], set()
        for rank, entry in enumerate(entries):
            request = by_action.get(entry.action_id.id)
            what = self._what_happened(entry, decided)
            if what == "written" and self._has_left(entry):
                what = "left"
            if what and (request or what in ("written", "left")):
                events.append(
                    Event(
                        at=entry.occurred_at,
                        what=what,
                        who=self._who_did(entry, what),
                        request=request,
                        references=tuple(
                            pair
                            for pair in (
                                ("feed", entry.feed_ref),
                                ("request", entry.request_ref),
                            )
                            if pair[1]
                        ),
                        rank=rank,
                    )
                )
        return events

    def _what_happened(self, entry, decided):
        """Return what an entry tells, or None where another one tells it.

        :param set decided: actions whose next entry only repeats a decision
        """
        if entry.event == "replied":
            return "written"
        if entry.event in _OWN_SENTENCES and entry.state_from != "to_approve":
            if entry.event == "decided":
                decided.add(entry.action_id.id)
                if entry.state_to == "to_approve":
                    return "asked_again"
            return entry.event
        if entry.event == "recorded" and entry.state_from:
            # the change of state stands beside it
            return None
        if entry.event not in ("asked", "recorded", "state"):
            return None
        if entry.action_id.id in decided:
            decided.discard(entry.action_id.id)
            return None
        if (entry.state_from, entry.state_to) == ("to_approve", "unknown"):
            return "not_again"
        if entry.state_to != "queued" or entry.event == "asked":
            return entry.state_to
        return "approved" if entry.state_from == "to_approve" else "queued_again"

    def _has_left(self, entry):
        """Whether the mail of a journaled reply is known to have left: the entry tells
        only that it was handed to Odoo."""
        replies_sudo = (
            self.env["mail.message"]
            .sudo()
            .search(
                [
                    ("model", "=", entry.origin_model),
                    ("res_id", "=", entry.origin_id),
                    ("outgoing_email_to", "!=", False),
                    ("create_date", ">=", entry.occurred_at - _LONGEST_REPLY),
                    # an entry's time is in whole seconds
                    ("create_date", "<=", entry.occurred_at + timedelta(seconds=1)),
                ]
            )
        )
        # where it could be any of several, all of them
        return bool(replies_sudo) and all(
            _LEFT in reply.notification_ids.mapped("notification_status")
            for reply in replies_sudo
        )

    def _who_did(self, entry, what):
        if entry.user_id != self.env.ref("base.user_root"):
            return entry.user_id.name
        return "amazon" if what in _BY_AMAZON else "software"

    def _conversation_events(self, document, order):
        """Return when something was written, without its words: on the document, and on
        the cases of the same order that the user may read."""
        cases = self._cases(order)
        events = [
            Event(
                case.create_date,
                "opened",
                "seller",
                values={"case": case._document_number()},
            )
            for case in cases
        ]
        is_apart = document._name != "amazon.order" and document not in cases
        for each in [*cases, *(document if is_apart else ())]:
            for message in self._public_messages(each):
                who = self._writer(each, message)
                if who == "buyer":
                    at = self._sent_at(message, who)
                    events.append(Event(at, "received", "buyer"))
                elif who == "seller" and not message.outgoing_email_to:
                    # a reply of this addon is in the journal
                    name = message.author_id.name
                    at = self._sent_at(message, who)
                    events.append(Event(at, "answered", name))
        return events

    def _cases(self, order):
        """Return the documents of an order that are cases, as far as the user may read
        them.

        :rtype: list
        """
        about_it = [("amazon_order_id", "=", order.id)]
        cases = []
        for documents in self.env["amazon.document"]._document_models():
            if documents._is_case():
                found = documents.sudo().search(about_it, order="id")
                cases += found.with_env(self.env)._filtered_access("read")
        return cases

    # === WHAT WAS WRITTEN === #

    def _messages(self, document, facts):
        """Return the conversation of the document itself, the oldest first, and how
        many messages do not fit in."""
        found = []
        if facts.with_messages:
            found += self._conversation(document)
        if facts.with_notes:
            found += [
                self._message(document, message, "note")
                for message in self._written(document)
                if self._is_note(message)
            ]
        found = sorted(
            (message for message in found if message.text), key=lambda each: each.at
        )
        return found[:MAX_MESSAGES], len(found[MAX_MESSAGES:])

    def _conversation(self, document):
        found = [
            self._message(document, message, self._writer(document, message))
            for message in self._public_messages(document)
        ]
        is_case = document._name != "amazon.order" and document._is_case()
        if is_case and not any(message.who == "buyer" for message in found):
            # typed in by a person, or by the form of a web site
            text = from_html(document._request_text())
            found.append(Message(document.create_date, "request", "", text))
        for action in self._messages_taken(document):
            message = action.text_message_id.with_env(self.env)
            if message._filtered_access("read"):
                found.append(self._message(document, message, "seller"))
        return found

    def _messages_taken(self, document):
        """Return the messages to the buyer that Amazon has taken, in sudo mode; the
        others did not, or may not, have reached the buyer."""
        if document._name == "amazon.order":
            return self.env["amazon.action"]
        return document.sudo().amazon_action_ids.filtered(
            lambda action: action.state == "accepted" and action.text_message_id
        )

    def _message(self, document, message, who):
        return Message(
            at=self._sent_at(message, who),
            who=who,
            author="" if who == "buyer" else message.author_id.name or "",
            text=from_html(message.body),
        )

    def _written(self, document):
        """Return what people wrote on a document, as far as the user may read it."""
        if document._name == "amazon.order":
            return self.env["mail.message"]
        return self.env["mail.message"].search(
            [
                ("model", "=", document._name),
                ("res_id", "=", document.id),
                ("message_type", "in", ("email", "comment", "email_outgoing")),
            ],
            order="id",
        )

    def _public_messages(self, document):
        return self._written(document).filtered(
            lambda message: not self._is_note(message)
        )

    def _is_note(self, message):
        subtype = message.subtype_id
        # a reply to the buyer is kept from the other customers who follow
        is_hidden = message.is_internal and not message.outgoing_email_to
        return is_hidden or not subtype or subtype.internal

    def _writer(self, document, message):
        """Return who wrote a message: ``buyer``, ``seller``, ``unsent`` where it is of
        the seller and not known to have left for the buyer, or ``other``.

        The buyer is whom the document names now. An address that Amazon made is no
        proof: every buyer has one. Where the customer was changed, what the former one
        wrote is of ``other``, which claims less.
        """
        author_sudo = message.author_id.sudo()
        if any(user._is_internal() for user in author_sudo.user_ids):
            return "seller" if self._was_sent(document, message) else "unsent"
        buyer_sudo = document.sudo().partner_id
        if author_sudo and author_sudo == buyer_sudo:
            return "buyer"
        address = email_normalize(message.email_from or author_sudo.email or "")
        return "buyer" if address in self._buyer_addresses(document) else "other"

    def _buyer_addresses(self, document):
        """Return the addresses of whom a document names as the customer."""
        buyer_sudo = document.sudo().partner_id
        known = (getattr(document, "partner_email", False), buyer_sudo.email)
        return {email_normalize(address or "") for address in known} - {False}

    def _was_sent(self, document, message):
        """Whether a message is known to have left for the buyer by mail: what is
        written on a document goes to its followers only."""
        buyer_sudo = document.sudo().partner_id
        addresses = self._buyer_addresses(document)
        return any(
            notification.notification_type == "email"
            and notification.notification_status == _LEFT
            and (
                (buyer_sudo and notification.res_partner_id == buyer_sudo)
                or email_normalize(notification.mail_email_address or "") in addresses
            )
            for notification in message.sudo().notification_ids
        )

    def _sent_at(self, message, who):
        """Return when a message was written.

        A mail from outside says so itself, but it was not written later than it was
        received here. What people write here may be posted with any date; when that
        was done is the database's own.

        :param str who: as `_writer` returns it, or ``note``
        """
        is_outside = who in ("buyer", "other") and message.message_type == "email"
        dates = [message.create_date, is_outside and message.date]
        return min(filter(None, dates))

    # === AMOUNTS AND PARCELS === #

    def _item(self, line):
        return Item(
            title=clean(line.title) or line.sku or line.amazon_item_ref,
            sku=line.sku or "",
            asin=line.asin or "",
            ref=line.amazon_item_ref,
            quantity=line.quantity_ordered,
            shipped=line.quantity_fulfilled,
            total=Amount(
                "", line.charged, line.refunded, line.reserved, line.refundable
            ),
            amounts=[
                Amount(
                    component=charge.component,
                    charged=charge.charged,
                    refunded=charge.refunded,
                    reserved=charge.reserved,
                    remaining=charge.refundable,
                )
                for charge in line.charge_ids
                if charge.charged or charge.refunded or charge.reserved
            ],
        )

    def _postings(self, order):
        """Return the refunds of Amazon's finances, each with all its parts."""
        grouped = order.refund_ids.grouped(
            lambda refund: (
                refund.posted_at or refund.create_date,
                refund.adjustment_ref or "",
                refund.action_id.name or "",
            )
        )
        return [
            Posting(at, sum(refunds.mapped("amount")), ref, request)
            for (at, ref, request), refunds in sorted(grouped.items())
        ]

    def _packages(self, order):
        """Hook: return the parcels of an order, those that Amazon shows first.

        :rtype: list[Package]
        """
        return [
            Package(
                source="amazon",
                ref=str(
                    package.get("reference") or package.get("package_number") or ""
                ),
                carrier=package.get("carrier") or package.get("carrier_code") or "",
                tracking=package.get("tracking_number") or "",
            )
            for package in [*(order.packages or []), *(order.mcf_packages or [])]
        ]
