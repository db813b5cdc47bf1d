from odoo.http import request

from odoo.addons.portal.controllers.portal import CustomerPortal


class AmazonCustomerPortal(CustomerPortal):
    """The page of a document links to those before and behind it in the list that was
    shown last, each with a token that opens it without a login."""

    def _get_page_view_values(
        self, document, access_token, values, session_history, *args, **kwargs
    ):
        """Override of `portal` to link to no document that the user has lost since."""
        listed = request.session.get(session_history)
        if listed and isinstance(document, request.env.registry["amazon.order.mixin"]):
            documents = request.env[document._name].browse(listed).exists()
            readable = documents._filtered_access("read")
            request.session[session_history] = readable.ids
        return super()._get_page_view_values(
            document, access_token, values, session_history, *args, **kwargs
        )
