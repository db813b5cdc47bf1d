from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.amazon_order_actions.models.conversation.recipient import masked
from odoo.addons.amazon_order_actions.spapi.marketplaces import by_relay_address

# The bare address in the address of a mail, as PostgreSQL sees it.
TICKET_ADDRESS = "lower(substring(partner_email from '[^<[:space:]]+@[^>[:space:]]+'))"


class HelpdeskTicket(models.Model):
    """What a ticket adds to the conversation with the buyer: who wrote, and that it is
    open until the buyer has the answer."""

    _inherit = "helpdesk.ticket"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    # Only the mail gateway writes it: the address on the ticket can be edited.
    amazon_mail_sender = fields.Char(
        readonly=True,
        copy=False,
        groups=fields.NO_ACCESS,
        help="The address that the mail came from which opened the ticket.",
    )

    # By them the tickets of the same buyer are found.
    _amazon_buyer_idx = models.Index("(partner_id) WHERE amazon_order_id IS NOT NULL")
    _amazon_address_idx = models.Index(
        f"({TICKET_ADDRESS}) WHERE amazon_order_id IS NOT NULL"
    )

    # === WHO THE BUYER IS === #

    def _written_from(self):
        """Override: the addresses of the mails that opened the tickets."""
        return [ticket.partner_email for ticket in self if ticket.partner_email]

    def _has_buyer_written(self):
        """Override: who wrote by Amazon's address."""
        return bool(self._buyer_address())

    @api.model
    def _is_case(self):
        """Override: tickets are."""
        return True

    def _request_text(self):
        """Override: the description."""
        return self.description

    def _amazon_stranger(self):
        """Override: only Amazon's own address for this buyer is known to be hers."""
        ticket_sudo = self.sudo()
        sender, order_sudo = ticket_sudo.amazon_mail_sender, self._get_amazon_order()
        if not sender or not order_sudo or order_sudo.channel == "mcf":
            return False
        if not by_relay_address(sender):
            return self.env._(
                "The mail that opened this ticket did not come through Amazon. Whoever "
                "wrote it knows the order number, and may not be the buyer."
            )
        buyers = self.env["amazon.order.buyers"]
        other, document = buyers._other_than(sender, order_sudo)
        return bool(other) and self.env._(
            "The mail that opened this ticket came from %(sender)s, and %(document)s "
            "has %(other)s for the same order. Whoever wrote it may not be the buyer.",
            sender=masked(sender),
            document=self._describe_other(document),
            other=masked(other),
        )

    def _read_for_panel(self):
        """Override: who wrote the mail, which nobody may read."""
        return (*super()._read_for_panel(), "amazon_mail_sender")

    @api.model
    def _select_buyer_texts(self, order):
        """Override: also who opened the ticket, and who wrote later."""
        return SQL(
            """
            %(contacts)s
            UNION ALL
            SELECT %(model)s, ticket.id, named.text
              FROM helpdesk_ticket AS ticket
             CROSS JOIN LATERAL (
                   VALUES (ticket.amazon_mail_sender),
                          (ticket.partner_email)) AS named (text)
             WHERE ticket.amazon_order_id = %(order)s
               AND ticket.company_id = %(company)s
            UNION ALL
            SELECT %(model)s, ticket.id, message.email_from
              FROM helpdesk_ticket AS ticket
              JOIN mail_message AS message
                ON message.model = %(model)s
               AND message.res_id = ticket.id
               AND message.message_type = 'email'
             WHERE ticket.amazon_order_id = %(order)s
               AND ticket.company_id = %(company)s
            """,
            contacts=super()._select_buyer_texts(order),
            model=self._name,
            order=order.id,
            company=order.company_id.id,
        )

    @api.model
    def _select_of_buyer(self, partners, addresses):
        """Override: also those that the buyer wrote without being a contact."""
        return SQL(
            """
            %(of_contacts)s
            UNION ALL
            SELECT amazon_order_id, company_id
              FROM helpdesk_ticket
             WHERE amazon_order_id IS NOT NULL
               AND %(address)s = ANY(%(addresses)s)
            """,
            of_contacts=super()._select_of_buyer(partners, addresses),
            address=SQL(TICKET_ADDRESS),
            addresses=sorted(addresses),
        )

    # === OPEN UNTIL THE BUYER HAS THE ANSWER === #

    def _can_be_closed(self):
        """Override: a ticket can."""
        return bool(self)

    def _is_closed(self):
        """Override: by its stage."""
        return bool(self.closed)

    def _person_in_charge(self):
        """Override: who the ticket is assigned to."""
        return self.user_id

    def _close_after_reply(self):
        """Override: close the ticket.

        Without the mail that a stage may send to the customer: it holds links, and the
        buyer was just written to.
        """
        stages = self.team_id._get_applicable_stages().filtered("closed")
        self._go_to_stage(
            stages[:1],
            self.env._("The buyer was written to, and the ticket was closed."),
            self.env._(
                "The buyer was written to. The ticket was not closed: its team has no "
                "stage for closed tickets."
            ),
        )

    def _reopen_after_reply(self):
        """Override: open a closed ticket again."""
        if self.closed:
            stages = self.team_id._get_applicable_stages()
            stages -= stages.filtered("closed")
            self._go_to_stage(
                stages[:1],
                self.env._("The ticket was opened again."),
                self.env._(
                    "The ticket should be open again, and its team has no stage for "
                    "open tickets."
                ),
            )

    def _go_to_stage(self, stage, sentence, problem):
        if stage:
            self.with_context(mail_notrack=True).stage_id = stage
        self._message_log(body=sentence if stage else problem)
