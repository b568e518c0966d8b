"""Which of GuardDuty's formats a list is in, told from its content."""

from __future__ import annotations

import re

from guardray.intel.formats.options import MAX_BYTES, Format
from guardray.intel.formats.rows import lines_of
from guardray.intel.formats.unpacking import decoded, unpacked

_LOOKED_AT = 20
_ALIEN_VAULT = re.compile(r"[0-9a-fA-F.:]+#\d+#\d+#")
_HEADERS: tuple[tuple[Format, tuple[str, ...]], ...] = (
    ("FIRE_EYE", ("reportid", "title", "threatscape")),
    ("OTX_CSV", ("indicator type", "indicator")),
    ("PROOF_POINT", ("ip", "category", "score")),
    ("PROOF_POINT", ("domain", "category", "score")),
)


def sniff(content: bytes, name: str = "", max_bytes: int = MAX_BYTES) -> Format:
    """The format: one of the six, `TXT` where it looks like none of the others.

    Args:
        name: of the file; `.xml` and `.stix` count where the content does not decide.

    Raises:
        ValueError: it cannot be unpacked.
    """
    text = decoded(unpacked(content, max_bytes))
    if text.lstrip().startswith("<"):
        return "STIX"
    lines = lines_of(text[:65536]).head(_LOOKED_AT)["text"].to_list()
    if not lines:
        return "STIX" if name.lower().endswith((".xml", ".stix")) else "TXT"
    header = tuple(field.strip(' "').lower() for field in lines[0].split(","))
    for format_, beginning in _HEADERS:
        if header[: len(beginning)] == beginning:
            return format_
    return "ALIEN_VAULT" if all(_ALIEN_VAULT.match(line) for line in lines) else "TXT"
