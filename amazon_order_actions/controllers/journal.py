from odoo import http
from odoo.api import Environment
from odoo.http import content_disposition, request


class JournalController(http.Controller):
    """Sends the journal as a file, while it is read."""

    @http.route(
        "/amazon_order_actions/journal/<int:export_id>",
        type="http",
        auth="user",
        methods=["GET"],
        readonly=False,
    )
    def export(self, export_id):
        """Send what the dialog of that id asks for.

        :raise AccessError: when the user may not read the journal, it is somebody
            else's dialog, or the journal of a company that the user does not belong to
        """
        request.env["amazon.audit.check"]._check_right()
        export = request.env["amazon.audit.export"].browse(export_id).exists()
        if not export:
            raise request.not_found()
        export.check_access("read")
        export._check_one_company()
        export._journal_export()
        kind = {"jsonl": "application/jsonl", "csv": "text/csv; charset=utf-8"}
        return request.make_response(
            later(request.env, export.id),
            headers=[
                ("Content-Type", kind[export.file_format]),
                ("Content-Disposition", content_disposition(export._file_name())),
                ("X-Content-Type-Options", "nosniff"),
            ],
        )

    @http.route(
        "/amazon_order_actions/journal/anchors",
        type="http",
        auth="user",
        methods=["GET"],
        readonly=True,
    )
    def anchors(self):
        """Send all anchors that the user may read.

        :raise AccessError: when the user may not read the journal
        """
        request.env["amazon.audit.check"]._check_right()
        anchors = request.env["amazon.audit.anchor"].search([])
        return request.make_response(
            "".join(anchors._lines()),
            headers=[
                ("Content-Type", "application/jsonl"),
                (
                    "Content-Disposition",
                    content_disposition("amazon-journal-anchors.jsonl"),
                ),
                ("X-Content-Type-Options", "nosniff"),
            ],
        )


def later(env, export_id):
    """Yield the file of a dialog after the request's own transaction has ended.

    :param env: of the request: registry, user and context of it are kept
    """
    registry, uid, context = env.registry, env.uid, dict(env.context)

    def chunks():
        with registry.cursor() as cr:
            own = Environment(cr, uid, context)
            yield from own["amazon.audit.export"].browse(export_id)._chunks()

    return chunks()
