"""Texts of others for a document: mails as plain text, without anything hidden in them.

Plain functions on plain values. Nothing of a text is ever read as markup.
"""

import re
import unicodedata

from lxml import etree
from lxml import html as lxml_html

#: What of one text stands in the PDF; the ZIP has it whole.
MAX_LINES, MAX_CHARACTERS = 200, 12_000
#: HTML longer than this is not read at all: mails are far shorter.
MAX_HTML = 2_000_000

# Elements that begin a line, and those with an empty line around them.
_LINES = ("address", "dd", "div", "dl", "dt", "footer", "form", "header", "li", "tr")
_PARAGRAPHS = (
    *("article", "blockquote", "center", "h1", "h2", "h3", "h4", "h5", "h6", "hr"),
    *("ol", "p", "pre", "section", "table", "ul"),
)
_HIDDEN = {"script", "style", "head", "title", "template", "noscript", "svg"}


def from_html(html):
    """Return what a person reads of an HTML text, as plain text.

    Nothing is fetched: an image or a link is left out, only its words stay.

    :param html: as Odoo keeps the body of a message, or False
    :rtype: str
    """
    if not html or not str(html).strip():
        return ""
    html = str(html)[:MAX_HTML].replace("\0", "")
    parser = lxml_html.HTMLParser(
        encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True
    )
    try:
        root = lxml_html.document_fromstring(
            f"<div>{html}</div>".encode(), parser=parser
        )
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return clean(re.sub(r"<[^>]*>", " ", html))
    parts = []
    for event, node in etree.iterwalk(root, events=("start", "end")):
        if event == "start":
            _begin(parts, node)
        else:
            _end(parts, node)
    return clean("".join(parts))


def _begin(parts, node):
    """Add what an element begins with."""
    if node.tag == "br":
        parts.append("\n")
    _break(parts, node.tag)
    is_hidden = not isinstance(node.tag, str) or node.tag in _HIDDEN
    if not is_hidden and not _is_inside_hidden(node):
        _say(parts, node.text)


def _end(parts, node):
    """Add what an element ends with, and what comes after it."""
    _break(parts, node.tag)
    if node.tag in ("td", "th"):
        parts.append(" ")
    if node.getparent() is not None and not _is_inside_hidden(node):
        _say(parts, node.tail)


def _break(parts, tag):
    """End the line before and after a block."""
    if tag in _PARAGRAPHS:
        parts.append("\n\n")
    elif tag in _LINES and parts and not parts[-1].endswith("\n"):
        parts.append("\n")


def _is_inside_hidden(node):
    return any(parent.tag in _HIDDEN for parent in node.iterancestors())


def _say(parts, text):
    """Add words; blanks and line ends between them mean nothing in HTML."""
    if text:
        parts.append(re.sub(r"[ \t\r\n\f]+", " ", text))


def clean(text):
    """Return a text without control characters and with at most one empty line at a
    time.

    :rtype: str
    """
    text = re.sub(r"\r\n?", "\n", text or "").replace("\t", "    ")
    text = "".join(char for char in text if char == "\n" or _is_visible(char))
    text = "\n".join(line.strip(" \u00a0") for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _is_visible(char):
    # Cc, Cf, Cs: control characters, also those that turn the direction of writing
    # around, and halves of surrogate pairs
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co")


def cut(text):
    """Return the beginning of a text, and how many characters are left out.

    :rtype: tuple[str, int]
    """
    short = "\n".join(text.split("\n", MAX_LINES)[:MAX_LINES])[:MAX_CHARACTERS]
    return short, len(text) - len(short)
