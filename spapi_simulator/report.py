"""The processing report of a feed."""

from dataclasses import dataclass, field

from lxml import etree

_XSI = "http://www.w3.org/2001/XMLSchema-instance"


@dataclass
class Result:
    """One Result element: something went wrong with a message (0: the document)."""

    message_id: str
    code: str
    text: str
    level: str = "Error"
    order_id: str | None = None
    item_id: str | None = None
    sku: str | None = None


@dataclass
class Report:
    """What the report says. A successful message has no Result element."""

    transaction_id: str
    seller_id: str
    processed: int = 0
    results: list = field(default_factory=list)

    def to_xml(self):
        """Return the report as Amazon writes it.

        :return: bytes in UTF-8
        """
        location = {f"{{{_XSI}}}noNamespaceSchemaLocation": "amzn-envelope.xsd"}
        root = etree.Element("AmazonEnvelope", location, nsmap={"xsi": _XSI})
        header = etree.SubElement(root, "Header")
        _add(header, DocumentVersion="1.02", MerchantIdentifier=self.seller_id)
        _add(root, MessageType="ProcessingReport")
        message = etree.SubElement(root, "Message")
        _add(message, MessageID="1")
        report = etree.SubElement(message, "ProcessingReport")
        _add(report, DocumentTransactionID=self.transaction_id, StatusCode="Complete")
        self._add_summary(report)
        for result in self.results:
            _add_result(report, result)
        return etree.tostring(
            root, encoding="UTF-8", xml_declaration=True, pretty_print=True
        )

    def _add_summary(self, report):
        errors = {row.message_id for row in self.results if row.level == "Error"}
        warnings = {row.message_id for row in self.results if row.level == "Warning"}
        failed = len(errors - {"0"})
        _add(
            etree.SubElement(report, "ProcessingSummary"),
            MessagesProcessed=str(self.processed),
            MessagesSuccessful=str(max(0, self.processed - failed)),
            MessagesWithError=str(len(errors)),
            MessagesWithWarning=str(len(warnings)),
        )


def _add_result(report, result):
    element = etree.SubElement(report, "Result")
    _add(
        element,
        MessageID=result.message_id,
        ResultCode=result.level,
        ResultMessageCode=result.code,
        ResultDescription=result.text,
    )
    named = {
        "SKU": result.sku,
        "AmazonOrderID": result.order_id,
        "AmazonOrderItemCode": result.item_id,
    }
    if any(named.values()):
        additional = etree.SubElement(element, "AdditionalInfo")
        _add(additional, **{name: text for name, text in named.items() if text})


def _add(parent, **texts):
    for name, text in texts.items():
        etree.SubElement(parent, name).text = text
