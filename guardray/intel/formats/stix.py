"""STIX 1.x: addresses and domains among the CybOX objects of an XML document.

Nothing else of the document is kept in memory. Entities and document types are refused, as they can expand without
end or read files.

Source: CybOX 2.1, AddressObjectType and DomainNameObjectType; `##comma##` parts the values of a list.
"""

from __future__ import annotations

import io
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl, InputSource, Locator

import polars as pl
from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import create_parser

from guardray.intel.formats.options import Options
from guardray.intel.formats.rows import ROWS

_VALUES = {"AddressObjectType": "Address_Value", "DomainNameObjectType": "Value"}
"""In which element an object of a type has its value."""

_COMMA = "##comma##"


def stix(text: str, options: Options) -> pl.DataFrame:
    """`ROWS` of the values of all address and domain objects; values with a condition that is no list are null.

    Raises:
        ValueError: the document is not well-formed, or declares a document type.
    """
    objects = _Objects()
    parser = create_parser(forbid_dtd=True)
    parser.setContentHandler(objects)
    source = InputSource()
    source.setCharacterStream(io.StringIO(text))
    try:
        parser.parse(source)
    except SAXParseException as error:
        raise ValueError(f"is not well-formed XML: line {error.getLineNumber()}: {error.getMessage()}") from error
    except DefusedXmlException as error:
        raise ValueError(f"declares a document type or entities, which is refused: {error}") from error
    return pl.DataFrame(objects.found, schema=ROWS, orient="row")


class _Objects(ContentHandler):
    """Collects the values of objects as the parser goes by them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, str | None]] = []
        self._place = Locator()
        self._wanted: str | None = None  # the element with the value of the object that the parser is in
        self._condition = ""
        self._text: list[str] | None = None

    def setDocumentLocator(self, locator: Locator) -> None:  # noqa: N802
        self._place = locator

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802
        local = _local(name)
        if local == "Properties":
            self._wanted = _VALUES.get(_type(attrs))
        elif local == self._wanted:
            self._condition = attrs.get("condition", "Equals")
            self._text = []

    def characters(self, content: str) -> None:
        if self._text is not None:
            self._text.append(content)

    def endElement(self, name: str) -> None:  # noqa: N802
        local = _local(name)
        if local == "Properties":
            self._wanted = None
        elif local == self._wanted and self._text is not None:
            line = self._place.getLineNumber() or 0
            self.found += [(line, value) for value in _values("".join(self._text), self._condition)]
            self._text = None


def _values(text: str, condition: str) -> list[str | None]:
    parts = [part.strip() for part in text.split(_COMMA)]
    if condition == "InclusiveBetween":
        return ["-".join(parts)] if len(parts) == 2 else [None]
    return list(parts) if condition == "Equals" else [None]


def _type(attributes: AttributesImpl) -> str:
    """The local name in `xsi:type`, whatever the prefixes."""
    return next((_local(value) for name, value in attributes.items() if _local(name) == "type"), "")


def _local(name: str) -> str:
    return name.rpartition(":")[2]
