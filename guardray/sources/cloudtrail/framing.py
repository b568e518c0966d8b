"""Where single records begin and end in a text that does not decode as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from msgspec import Raw, Struct, json


@dataclass(frozen=True)
class Span:
    """A piece of text that should be one record, and the offset of its first byte."""

    position: int
    content: bytes


class Framing(Enum):
    """How records lie in a text."""

    LINES = "one JSON value a line"
    DOCUMENT = "one JSON value, or several, over as many lines as they like"


_LOG_TIME = re.compile(rb"(?m)^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)\s+(?=[{\[])")
"""CloudWatch Logs exports to S3 put the ingestion time before each message."""

_OPENING = re.compile(rb'\{\s*"(?!Records")[^"\\]{1,64}"\s*:')
_USUAL_OPENING = re.compile(rb'\{\s*"eventVersion"\s*:')
_FILE_START = re.compile(rb'\s*(?:\{\s*"Records"\s*:\s*)?(?:\[\s*)?\Z')
_FILE_END = re.compile(rb'\s*\](?:\s*\})?(?:\s*\{\s*"Records"\s*:\s*\[)?\Z')
_LOOK_BACK = 256
"""In how many last bytes the end of a file is looked for: a search through long white space takes its square."""


class _LogFile(Struct, rename="pascal"):
    records: list[Raw]


_VALUES = json.Decoder(Raw)
_ARRAY = json.Decoder(list[Raw])
_LOG_FILE = json.Decoder(_LogFile)


def without_log_times(text: bytes) -> bytes:
    """Lines without the times that CloudWatch Logs puts before them; offsets in them are then other ones."""
    return _LOG_TIME.sub(b"", text) if _LOG_TIME.match(text) else text


def spans(text: bytes, offset: int, framing: Framing) -> Iterator[Span]:
    """Cut a text into records: every byte that is no white space or punctuation between records is in a span."""
    pieces = _lines(text, offset) if framing is Framing.LINES else (Span(offset, text),)
    for piece in pieces:
        try:
            values = _VALUES.decode_lines(piece.content)
        except (ValueError, RecursionError):
            yield from _salvaged(piece)
        else:
            for value in _located(values, piece):
                yield from _elements(value)


def _lines(text: bytes, offset: int) -> Iterator[Span]:
    for line in text.split(b"\n"):
        time = _LOG_TIME.match(line)
        start = time.end() if time else 0
        if not line.isspace() and line:
            yield Span(offset + start, line[start:].rstrip())
        offset += len(line) + 1


def _elements(value: Span) -> Iterable[Span]:
    """The records of a log file or an array, each with its own position; any other value is a record itself."""
    for decoder in (_LOG_FILE, _ARRAY):
        try:
            found = decoder.decode(value.content)
        except (ValueError, RecursionError):
            continue
        return _located(found.records if isinstance(found, _LogFile) else found, value)
    return (value,)


def _located(values: Iterable[Raw], within: Span) -> Iterator[Span]:
    start = 0
    for value in values:
        content = bytes(value)
        start = within.content.index(content, start)
        yield Span(within.position + start, content)
        start += len(content)


def _salvaged(damaged: Span) -> Iterator[Span]:
    """Cut a damaged text where records seem to begin: wherever a record's opening comes again.

    A writer puts the same key first in every record, AWS its `eventVersion`. This takes one pass whatever the damage; a
    record that holds a copy of another one is cut in two and lost as two spans, in files that are damaged anyway.
    """
    text = damaged.content
    opening = _USUAL_OPENING.search(text) or _OPENING.search(text)
    if opening is None:
        yield damaged
        return
    starts = [match.start() for match in re.finditer(re.escape(opening[0]), text)]
    head = text[: starts[0]]
    if not _FILE_START.match(head):
        yield Span(damaged.position, head)
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        record = _without_ending(text[start:end])
        yield Span(damaged.position + start, record)
    if b"[" in head and _is_json(record) and not _is_ended(text):
        # Cut off between two records, of which the first are all right: only this tells that there were more.
        yield Span(damaged.position + len(text), b"")


def _without_ending(piece: bytes) -> bytes:
    """A record without the comma that follows it, or the brackets that end its file."""
    record = piece.rstrip(b" \t\r\n,")
    if _is_json(record):
        return record
    end = _FILE_END.search(record[-_LOOK_BACK:])
    without = record[: end.start() - len(end.string)] if end else record
    return without if _is_json(without) else record


def _is_ended(text: bytes) -> bool:
    return _FILE_END.search(text.rstrip()[-_LOOK_BACK:]) is not None


def _is_json(text: bytes) -> bool:
    try:
        _VALUES.decode(text)
    except (ValueError, RecursionError):
        return False
    return True
