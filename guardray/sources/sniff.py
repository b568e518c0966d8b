"""Which log an object holds, told from its first bytes and never from its name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

import msgspec

from guardray.sources.flow_fields import KNOWN_FIELDS

PARQUET_MAGIC = b"PAR1"
HEAD_BYTES = 1 << 16
"""How much of an object is looked at: more than any flow log header or Resolver record is long."""

_LINES_TRIED = 20
"""A damaged first line must not hide what the others say."""


class Format(Enum):
    """What the text of an object is."""

    EMPTY = "nothing but white space, or an empty list"
    CLOUDTRAIL_DOCUMENT = "CloudTrail records in JSON values that span lines, or one value"
    CLOUDTRAIL_LINES = "CloudTrail records, one JSON value a line"
    FLOW_TEXT = "VPC Flow Log text"
    RESOLVER_LINES = "Route 53 Resolver query log, one JSON value a line"
    PASSED_OVER = "written by AWS beside the logs: a digest or a configuration snapshot"


@dataclass(frozen=True)
class Unknown:
    """No format that is read here; `reason` says what it looks like instead."""

    reason: str


_FOREIGN_MAGIC = {
    b"(\xb5/\xfd": "zstandard-compressed: only gzip is read",
    b"BZh": "bzip2-compressed: only gzip is read",
    b"\xfd7zXZ": "xz-compressed: only gzip is read",
    b"PK\x03\x04": "a zip archive: only gzip is read",
    b"\x1f\x8b": "gzip inside gzip",
    b"\xff\xfe": "UTF-16 text: only UTF-8 is read",
    b"\xfe\xff": "UTF-16 text: only UTF-8 is read",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
}
_LOG_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)\s+")
_HEADERLESS_FLOW = re.compile(r"\d{1,2} (?:\d{12}|unknown|-) eni-\S+ (?:\S+ ){9}\S+ (?:OK|NODATA|SKIPDATA)\s*$")
_WRAPPING_KEYS = ("logEvents", "message", "@message")
_WRAPPED_QUERY = re.compile(r'"query_name\\*"')
_KEY_FORMATS = {
    "query_name": Format.RESOLVER_LINES,
    "query_timestamp": Format.RESOLVER_LINES,
    "digestStartTime": Format.PASSED_OVER,
    "configurationItems": Format.PASSED_OVER,
} | dict.fromkeys(
    ("Records", "eventVersion", "eventTime", "eventName", "eventSource", "detail", *_WRAPPING_KEYS),
    Format.CLOUDTRAIL_DOCUMENT,
)
_KEYS = re.compile(rf'"({"|".join(_KEY_FORMATS)})"\s*:')


def sniff(head: bytes) -> Format | Unknown:
    """Tell the format of a text from its first bytes.

    Args:
        head: up to `HEAD_BYTES`, decompressed, without a byte-order mark.
    """
    for magic, reason in _FOREIGN_MAGIC.items():
        if head.startswith(magic):
            return Unknown(reason)
    if head.strip() in (b"", b"[]"):
        return Format.EMPTY if len(head) < HEAD_BYTES else Unknown("no known log format")
    start = head[:200]
    if start.count(b"\0") * 4 > len(start):
        return Unknown("UTF-16 without a byte-order mark, or binary: only UTF-8 is read")
    text = head.decode(errors="replace")
    lines = [line for line in text.split("\n")[:_LINES_TRIED] if line.strip()]
    found = next(filter(None, map(_line_format, lines)), None) or _json_format(text)
    if found is Format.CLOUDTRAIL_DOCUMENT and _are_values(lines):
        return Format.CLOUDTRAIL_LINES
    return found or Unknown("no known log format")


def is_flow_header(line: bytes) -> bool:
    """Whether a line says which fields the flow log below it has."""
    return _names_fields(line.decode(errors="replace"))


def _names_fields(line: str) -> bool:
    words = line.replace("_", "-").split()
    return len(words) > 1 and len(KNOWN_FIELDS.intersection(words)) * 2 > len(words)


def _line_format(line: str) -> Format | None:
    """What a line on its own tells."""
    line = _message(line)
    if line.startswith(("{", "[")):
        return _json_format(line)
    if _names_fields(line):
        return Format.FLOW_TEXT
    return Format.FLOW_TEXT if _HEADERLESS_FLOW.match(line) else None


def _json_format(text: str) -> Format | None:
    key = _KEYS.search(text)
    if key is None:
        return None
    if key[1] in _WRAPPING_KEYS and _WRAPPED_QUERY.search(text):
        return Format.RESOLVER_LINES
    return _KEY_FORMATS[key[1]]


def _are_values(lines: list[str]) -> bool:
    """Whether each line is a JSON value of its own, though one may be damaged: the first is, or at least two are."""
    if len(lines) == 1:
        return _LOG_TIME.match(lines[0]) is not None
    whole = [_is_whole(line) for line in lines]
    return whole[0] or sum(whole) > 1


def _message(line: str) -> str:
    """A line without the time that CloudWatch Logs puts before it."""
    time = _LOG_TIME.match(line)
    return (line[time.end() :] if time else line).strip()


def _is_whole(line: str) -> bool:
    message = _message(line)
    try:
        return message.startswith(("{", "[")) and msgspec.json.decode(message) is not None
    except (ValueError, RecursionError):
        return False
