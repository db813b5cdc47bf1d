from odoo import SUPERUSER_ID, Command, api, fields, models
from odoo.exceptions import ConcurrencyError
from odoo.tools import email_normalize, html2plaintext

from odoo.addons.amazon_order_actions.models.base.background import in_background
from odoo.addons.amazon_order_actions.spapi.marketplaces import by_relay_address

# Who sees the Amazon order of a ticket.
READERS = "helpdesk_mgmt.group_helpdesk_user_own,sales_team.group_sale_salesman"
# Order numbers of one mail that are shown.
REFS_SHOWN = 10


class HelpdeskTicketTeam(models.Model):
    """Mails to a team become tickets of its company, which looks up their orders."""

    _name = "helpdesk.ticket.team"
    _inherit = ["helpdesk.ticket.team", "amazon.stays.in.company"]

    def _held_from(self, company):
        """Override: a row of the matrix names a team of its own company."""
        rows = self.env["amazon.authority"].with_context(active_test=False)
        naming = [("team_id", "=", self.id), ("company_id", "!=", company.id)]
        return bool(rows.search_count(naming, limit=1)) and self.env._(
            "The team %(team)s cannot move to another company: a row of Amazon > "
            "Configuration > Who May Do What names it. Make a team of the other "
            "company instead.",
            team=self.name,
        )


class HelpdeskTicket(models.Model):
    _name = "helpdesk.ticket"
    _inherit = ["helpdesk.ticket", "amazon.order.mixin", "amazon.plain.export"]

    amazon_order_id = fields.Many2one(groups=READERS)
    amazon_order_panel = fields.Json(groups=READERS)
    amazon_action_ids = fields.One2many(groups=READERS)

    # === COMPUTE METHODS === #

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_display_name(self):
        """Override: who may not read it sees its number."""
        named = self._name_by_number()
        return super(HelpdeskTicket, self - named)._compute_display_name()

    # === MAIL GATEWAY === #

    @api.model
    def message_new(self, msg_dict, custom_values=None):
        """Override of `mail` to find the Amazon order that a buyer writes about."""
        ticket = super().message_new(msg_dict, custom_values=custom_values)
        ticket.sudo().amazon_mail_sender = ticket._sender_of(msg_dict)
        ticket._find_amazon_order(msg_dict)
        return ticket

    def message_update(self, msg_dict, update_vals=None):
        """Override of `mail`: a later mail may be the first to name the order."""
        result = super().message_update(msg_dict, update_vals=update_vals)
        for ticket in self.filtered(lambda ticket: not ticket._amazon_ref()):
            ticket._find_amazon_order(msg_dict)
        return result

    def _find_amazon_order(self, msg):
        """Take the Amazon order number from a mail: the subject first, then the body.

        :param dict msg: the mail, as `mail` parsed it
        """
        self.ensure_one()
        refs = self.env["amazon.order"]._find_refs(
            msg.get("subject"), html2plaintext(msg.get("body") or "")
        )
        if not refs:
            return
        marketplace = by_relay_address(self._sender_of(msg))
        ticket = self.with_context(amazon_marketplace=marketplace and marketplace.id)
        if self.env.su:
            # By the mail gateway, and by nobody who has logged in: it takes the sender
            # for the user whose address that is.
            ticket = ticket.with_user(SUPERUSER_ID).with_context(amazon_by_mail=True)
        try:
            ticket.amazon_order_ref = refs[0]
        except ConcurrencyError:
            # A mail is not handed in a second time: its order is linked later.
            in_background(self, self.company_id).with_delay(
                max_retries=0, description=f"Link the order of the ticket {self.number}"
            )._job_link_mailed(marketplace and marketplace.id)
        if len(refs) > 1:
            self.message_post(
                body=self.env._(
                    "The buyer's mail names several Amazon orders: %(refs)s. This "
                    "ticket shows the first one.",
                    # whoever writes the mail decides how many there are
                    refs=", ".join(refs[:REFS_SHOWN]),
                ),
                author_id=self.env.ref("base.partner_root").id,
                subtype_xmlid="mail.mt_note",
            )

    def _sender_of(self, msg):
        """Return the bare address that a mail came from, or an empty text.

        :param dict msg: the mail, as `mail` parsed it
        """
        sender = msg.get("email_from") or msg.get("from") or ""
        return email_normalize(sender, strict=False) or ""

    def _job_link_mailed(self, marketplace=None):
        """Link the order that a mail named. Job.

        :param str marketplace: id of the marketplace that it is probably from
        """
        self.with_context(amazon_by_mail=True)._link_amazon_order(marketplace)

    # === BUSINESS METHODS === #

    def _read_to_ask(self):
        """Override: not what the buyer wrote, but the team, which the journal names."""
        return {
            "": (
                "amazon_order_id",
                "company_id",
                "create_date",
                "number",
                "partner_id",
                "team_id",
                "user_id",
            ),
            "team_id": ("name",),
        }

    def _link_amazon_order(self, marketplace=None):
        """Override to link the sale orders of the same Amazon order, too."""
        marketplace = marketplace or self.env.context.get("amazon_marketplace")
        result = super()._link_amazon_order(marketplace)
        for ticket_sudo in self.sudo().filtered("amazon_order_id"):
            sale_orders = (
                self.env["sale.order"]
                .sudo()
                .search([("amazon_order_id", "=", ticket_sudo.amazon_order_id.id)])
            )
            ticket_sudo.sale_order_ids = [
                Command.link(sale_order.id) for sale_order in sale_orders
            ]
        return result
