from odoo import http
from odoo.http import request

from odoo.addons.helpdesk_mgmt.controllers.main import HelpdeskTicketController


class AmazonTicketController(HelpdeskTicketController):
    """The button that closes a ticket on its page."""

    @http.route()
    def support_ticket_close(self, **kw):
        """Override of `helpdesk_mgmt`, which closes any ticket for whoever has logged
        in, to close none but those that the user may read."""
        number = kw.get("ticket_id", "")
        tickets = request.env["helpdesk.ticket"]
        ticket = tickets.browse(int(number) if number.isdecimal() else 0).exists()
        if not (ticket and ticket.has_access("read")):
            raise request.not_found()
        return super().support_ticket_close(**kw)
