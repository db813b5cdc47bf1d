import json

from odoo import http
from odoo.http import request

from ..models.base.background import in_background

SCHEME = "bearer"
TEXT = "text/plain; version=0.0.4; charset=utf-8"


class HealthController(http.Controller):
    """Tells a monitoring system how a company's actions go, also while no job runner
    works. Asked for by a token in the header, never in an address, which others log."""

    @http.route(
        "/amazon_order_actions/health",
        type="http",
        auth="none",
        methods=["GET"],
        save_session=False,
        readonly=True,
    )
    def health(self):
        """Answer in JSON."""
        return self._answer(
            lambda health: json.dumps(health._as_json()), "application/json"
        )

    @http.route(
        "/amazon_order_actions/metrics",
        type="http",
        auth="none",
        methods=["GET"],
        save_session=False,
        readonly=True,
    )
    def metrics(self):
        """Answer in Prometheus's text format."""
        return self._answer(lambda health: health._as_text(), TEXT)

    def _answer(self, read, content_type):
        """Answer whoever has a token; anybody else learns nothing.

        :param read: function of `amazon.health` that returns the text
        :param str content_type: of the text
        """
        headers = [("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]
        company = self._company()
        if not company:
            headers.append(("WWW-Authenticate", "Bearer"))
            return request.make_response("", headers=headers, status=401)
        health = in_background(request.env["amazon.health"], company)
        return request.make_response(
            read(health), headers=[*headers, ("Content-Type", content_type)]
        )

    def _company(self):
        """Return the company of the token that came along, or none."""
        companies = request.env["res.company"]
        said = request.httprequest.headers.get("Authorization", "")
        scheme, _space, token = said.partition(" ")
        if scheme.lower() != SCHEME or not token.strip():
            return companies
        return companies._of_health_token(token.strip())
