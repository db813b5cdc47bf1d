"""The letters of the evidence pack: fonts that come with Odoo, embedded as subsets.

Roboto and Fira Mono are in Odoo's addon ``web`` (licences: Apache 2.0 and OFL) and hold
Latin with all its accents, Greek and Cyrillic. Japanese and Chinese signs come from the
reader's own fonts (a CID font is named, not embedded). Scripts that neither has, such
as Arabic, Hebrew or emojis, are shown as the replacement sign.
"""

import re
import threading
from xml.sax.saxutils import escape

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont

from odoo.tools import file_path

REGULAR, BOLD, ITALIC = "AmazonEvidence", "AmazonEvidenceBold", "AmazonEvidenceItalic"
MONO = "AmazonEvidenceMono"
_CJK = "HeiseiKakuGo-W5"
_FILES = {
    REGULAR: "Roboto/Roboto-Regular.ttf",
    BOLD: "Roboto/Roboto-Medium.ttf",
    ITALIC: "Roboto/Roboto-Italic.ttf",
    MONO: "Fira_Mono/Fira_Mono-Regular.ttf",
}
_CJK_SIGNS = re.compile("[\u3000-\u30ff\u31f0-\u31ff\u3400-\u9fff\uff00-\uffef]+")
#: Unicode's replacement character: stands for a sign that no font has.
UNKNOWN = "\ufffd"

_lock = threading.Lock()


def register():
    """Make the fonts known to reportlab, once for the process."""
    with _lock:
        if MONO in pdfmetrics.getRegisteredFontNames():
            return
        pdfmetrics.registerFont(UnicodeCIDFont(_CJK))
        for name, path in _FILES.items():
            font = TTFont(name, file_path(f"web/static/fonts/google/{path}"))
            pdfmetrics.registerFont(font)
        pdfmetrics.registerFontFamily(
            REGULAR, normal=REGULAR, bold=BOLD, italic=ITALIC, boldItalic=BOLD
        )


def markup(text):
    """Return a plain text as reportlab's Paragraph takes it: nothing in it is a tag.

    :param text: plain text; line ends stay line ends
    :rtype: str
    """
    text = known(str(text))
    marked = _CJK_SIGNS.sub(lambda match: f"\0{match[0]}\1", text)
    marked = escape(marked).replace("\0", f'<font name="{_CJK}">')
    return marked.replace("\1", "</font>").replace("\n", "<br/>")


def known(text):
    """Put the replacement character in the place of each sign that no font has.

    :rtype: str
    """
    glyphs = pdfmetrics.getFont(REGULAR).face.charToGlyph

    def is_known(char):
        return char == "\n" or ord(char) in glyphs or _CJK_SIGNS.match(char)

    # controls would stand for our own marks
    visible = (char for char in text if char >= " " or char == "\n")
    return "".join(char if is_known(char) else UNKNOWN for char in visible)


def missing(text):
    """Return how many signs of a text are shown as the replacement sign.

    :rtype: int
    """
    return known(text).count(UNKNOWN) - text.count(UNKNOWN)
