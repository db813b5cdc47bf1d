from odoo import http
from odoo.http import content_disposition, request


class FileController(http.Controller):
    """Sends the files of the addon, to who may read them."""

    @http.route(
        "/amazon_order_actions/file/<int:file_id>",
        type="http",
        auth="user",
        methods=["GET"],
        readonly=True,
    )
    def file(self, file_id):
        """Send a file. Whoever may not read it cannot tell whether there is one.

        :raise UserError: when it does not match its digest any more
        """
        file = request.env["amazon.file"].browse(file_id).exists()
        is_internal = request.env.user._is_internal()
        if not (is_internal and file and file.has_access("read")):
            raise request.not_found()
        return request.make_response(
            file._checked_bytes(),
            headers=[
                ("Content-Type", file.mimetype),
                ("Content-Disposition", content_disposition(file.name)),
                ("X-Content-Type-Options", "nosniff"),
                ("Cache-Control", "no-store"),
            ],
        )
