"""From the content of a list, in any of the formats that lists come in, to its usable indicators."""

from guardray.intel.formats.options import FORMATS, Columns, Format, Kind, canonical
from guardray.intel.formats.parsing import parse
from guardray.intel.formats.sniffing import sniff

__all__ = ["FORMATS", "Columns", "Format", "Kind", "canonical", "parse", "sniff"]
