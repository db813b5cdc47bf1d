"""Presigned URLs: upload and download, as the object store behind Amazon does.

The store answers in XML and knows nothing of the Selling Partner API's tokens.
"""

from xml.sax.saxutils import escape

from werkzeug.wrappers import Response

MAX_BYTES = 100 * 1024 * 1024
PREFIX = "/documents/"


def _refuse(status, code, message):
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        "</Error>"
    )
    return Response(body, status=status, content_type="application/xml")


def serve(simulator, request):
    """Answer a request to a presigned URL.

    :param Simulator simulator: locked and settled
    :param request: Werkzeug's request
    :return: Werkzeug's response
    """
    document_id = request.path.removeprefix(PREFIX)
    link = simulator.feeds.links.get(request.args.get("signature", ""))
    refusal = _check_link(simulator, request, link, document_id)
    if refusal:
        return refusal
    if request.method == "PUT":
        return _upload(request, link.document)
    response = Response(link.document.data, content_type=link.document.content_type)
    if link.content_encoding:
        response.headers["Content-Encoding"] = link.content_encoding
    return response


def _check_link(simulator, request, link, document_id):
    """Return the store's refusal, or None when the link is good."""
    if "Authorization" in request.headers:
        return _refuse(400, "InvalidArgument", "Only one auth mechanism allowed")
    if "x-amz-access-token" in request.headers:
        message = "There were headers present in the request which were not signed"
        return _refuse(403, "AccessDenied", message)
    mismatch = (
        link is None
        or link.document.id != document_id
        or link.method != request.method
        or set(request.args) != {"signature"}
    )
    if mismatch:
        message = (
            "The request signature we calculated does not match the signature you"
            " provided. Check your key and signing method."
        )
        return _refuse(403, "SignatureDoesNotMatch", message)
    if link.expires <= simulator.clock.now():
        return _refuse(403, "AccessDenied", "Request has expired")
    return None


def _upload(request, document):
    if request.headers.get("Content-Type") != document.content_type:
        # The content type given to createFeedDocument is part of the signature.
        message = "The Content-Type differs from the one the URL was made for."
        return _refuse(403, "SignatureDoesNotMatch", message)
    document.data = request.get_data()
    return Response(status=200)
