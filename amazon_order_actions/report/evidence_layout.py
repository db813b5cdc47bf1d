"""How a page of the evidence pack looks: titles, tables, running heads.

Takes plain texts only; what is markup in them is shown as it stands.
"""

import io

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, LETTER
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Frame,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from . import evidence_fonts
from .evidence_fonts import BOLD, ITALIC, MONO, REGULAR, known, markup

_INK, _SOFT = HexColor("#1c2733"), HexColor("#5b6875")
_RULE, _SHADE = HexColor("#c9d1d9"), HexColor("#f1f4f7")
_ACCENT = HexColor("#0b4f6c")
_MARGIN = 18 * mm

# Marketplaces whose people print on Letter.
_LETTER_COUNTRIES = ("US", "CA", "MX")


def _style(name, font=REGULAR, size=9.5, leading=None, **options):
    return ParagraphStyle(
        name,
        fontName=font,
        fontSize=size,
        leading=leading or size * 1.35,
        textColor=options.pop("color", _INK),
        splitLongWords=1,
        **options,
    )


_STYLES = {
    "title": _style("title", BOLD, 19, color=_ACCENT, spaceAfter=2 * mm),
    "subtitle": _style("subtitle", REGULAR, 11, color=_SOFT, spaceAfter=4 * mm),
    "heading": _style(
        "heading", BOLD, 13, color=_ACCENT, spaceBefore=7 * mm, spaceAfter=2 * mm
    ),
    "subheading": _style(
        "subheading", BOLD, 10.5, spaceBefore=4 * mm, spaceAfter=1 * mm
    ),
    "text": _style("text", spaceAfter=1.5 * mm),
    "soft": _style("soft", ITALIC, 8.5, color=_SOFT, spaceAfter=1.5 * mm),
    "cell": _style("cell", size=9),
    "strong": _style("strong", BOLD, 9),
    "small": _style("small", size=8, color=_SOFT),
    "head": _style("head", BOLD, 8.5, color=_SOFT),
    "mono": _style("mono", MONO, 7.2, color=_INK),
    "number": _style("number", size=9, alignment=2),
    "number_strong": _style("number_strong", BOLD, 9, alignment=2),
    "number_head": _style("number_head", BOLD, 8.5, color=_SOFT, alignment=2),
    "message": _style("message", size=9, leftIndent=4 * mm, spaceAfter=1.5 * mm),
}


class Cell:
    """Text of a table in one or several styles, each part in a paragraph of its own.

    :param parts: pairs of a style's name and a plain text
    """

    def __init__(self, *parts):
        self.parts = [part for part in parts if part[1]]


class Pages:
    """A document that grows from top to bottom.

    :param str head: stands on each page
    :param str foot: stands on each page, too
    :param str numbering: with the places ``%(page)s`` and ``%(pages)s``
    :param str country: ISO code of the marketplace's country; decides on the paper
    """

    def __init__(self, head, foot, numbering, country=None):
        evidence_fonts.register()
        self._head, self._foot, self._numbering = head, foot, numbering
        self._paper = LETTER if country in _LETTER_COUNTRIES else A4
        self._width = self._paper[0] - 2 * _MARGIN
        self._story = []

    # === BLOCKS === #

    def add(self, style, text):
        """Add a paragraph in one of the styles."""
        if text:
            self._story.append(Paragraph(markup(text), _STYLES[style]))

    def heading(self, text):
        """Begin a section; its title does not stand alone at the end of a page."""
        self._title("heading", text, 45 * mm)

    def subheading(self, text):
        """Begin a part of a section."""
        self._title("subheading", text, 30 * mm)

    def _title(self, style, text, room):
        self._story += [CondPageBreak(room), Paragraph(markup(text), _STYLES[style])]

    def pairs(self, rows):
        """Add a table of names and values.

        :param rows: pairs of a plain text and a plain text, a `Cell` or nothing; those
            without a value are left out
        """
        rows = [(name, value) for name, value in rows if value]
        if not rows:
            return
        cells = [
            [self._cell("head", name), self._cell("cell", value)]
            for name, value in rows
        ]
        self._table(cells, (0.3, 0.7), has_head=False)

    def table(self, head, rows, shares, numbers=(), strong=()):
        """Add a table with a head that is repeated on each page.

        :param head: texts of the head
        :param rows: lists of plain texts or `Cell`
        :param shares: of the page's width, for each column
        :param numbers: indexes of columns that stand at the right
        :param strong: indexes of rows that are sums
        """

        def style(index, row):
            if row is None:
                return "number_head" if index in numbers else "head"
            if row in strong:
                return "number_strong" if index in numbers else "strong"
            return "number" if index in numbers else "cell"

        self._story.append(CondPageBreak(30 * mm))
        cells = [[self._cell(style(i, None), text) for i, text in enumerate(head)]]
        for number, row in enumerate(rows):
            cells.append([self._cell(style(i, number), v) for i, v in enumerate(row)])
        self._table(cells, shares, has_head=True, numbers=numbers)

    def message(self, head, text, note=""):
        """Add what somebody wrote.

        :param str head: who and when
        :param str text: plain text
        :param str note: a remark of ours on it
        """
        blocks = [block for block in text.split("\n\n") if block.strip()]
        paragraphs = [Paragraph(markup(each), _STYLES["message"]) for each in blocks]
        self.subheading(head)
        self._story += paragraphs
        if note:
            self._story.append(Paragraph(markup(note), _STYLES["soft"]))

    def _cell(self, style, value):
        if isinstance(value, Cell):
            return [
                Paragraph(markup(text), _STYLES[name]) for name, text in value.parts
            ]
        return Paragraph(markup(value), _STYLES[style])

    def _table(self, cells, shares, has_head, numbers=()):
        style = [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, _RULE),
            ("LEFTPADDING", (0, 0), (-1, -1), 4),
            ("RIGHTPADDING", (0, 0), (-1, -1), 4),
            ("TOPPADDING", (0, 0), (-1, -1), 2.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ]
        # so that a number does not stick to the text at its right
        style += [("RIGHTPADDING", (i, 0), (i, -1), 10) for i in numbers]
        if has_head:
            style.append(("BACKGROUND", (0, 0), (-1, 0), _SHADE))
        self._story.append(
            Table(
                cells,
                colWidths=[share * self._width for share in shares],
                repeatRows=int(has_head),
                # a row that is longer than a page goes on on the next one
                splitInRow=1,
                style=TableStyle(style),
            )
        )
        self._story.append(Spacer(1, 2 * mm))

    # === OUTPUT === #

    def to_pdf(self, title, author, language):
        """Return the document.

        :param str title: for the properties of the file
        :param str author: the same
        :param str language: ISO 639-1
        :rtype: bytes
        """
        file = io.BytesIO()
        document = BaseDocTemplate(
            file,
            title=title,
            author=author,
            subject=self._head,
            creator=author,
            lang=language,
        )
        frame = Frame(
            *(_MARGIN, 18 * mm, self._width, self._paper[1] - 38 * mm),
            *(0, 0, 0, 0),
        )
        document.addPageTemplates(PageTemplate(frames=[frame], pagesize=self._paper))
        document.build(self._story, canvasmaker=self._canvas)
        return file.getvalue()

    def _canvas(self, *args, **options):
        return _NumberedCanvas(self, *args, **options)

    def draw_frame(self, canvas, page, pages):
        """Draw what stands on each page around the text."""
        width, height = self._paper
        canvas.saveState()
        canvas.setFillColor(_SOFT)
        canvas.setStrokeColor(_RULE)
        canvas.setLineWidth(0.4)
        canvas.setFont(REGULAR, 8)
        canvas.drawString(_MARGIN, height - 13 * mm, _fitting(self._head, self._width))
        canvas.line(_MARGIN, height - 15 * mm, width - _MARGIN, height - 15 * mm)
        canvas.line(_MARGIN, 14 * mm, width - _MARGIN, 14 * mm)
        number = self._numbering % {"page": page, "pages": pages}
        canvas.drawRightString(width - _MARGIN, 10 * mm, number)
        room = self._width - stringWidth(number, REGULAR, 8) - 6 * mm
        canvas.drawString(_MARGIN, 10 * mm, _fitting(self._foot, room))
        canvas.restoreState()


def _fitting(text, width):
    """Return as much of a line as fits into a width."""
    text = known(text)
    if stringWidth(text, REGULAR, 8) <= width:
        return text
    while text and stringWidth(f"{text}…", REGULAR, 8) > width:
        text = text[:-1]
    return f"{text}…"


class _NumberedCanvas(Canvas):
    """Keeps the pages until it is known how many there are."""

    def __init__(self, pages, *args, **options):
        super().__init__(*args, **options)
        self._pages = pages
        self._kept = []

    def showPage(self):
        self._kept.append(dict(self.__dict__))
        self._startPage()

    def save(self):
        for number, state in enumerate(self._kept, start=1):
            self.__dict__.update(state)
            self._pages.draw_frame(self, number, len(self._kept))
            super().showPage()
        return super().save()
