"""VPC Flow Logs as text: one record a line, blanks between its fields, mostly under a header line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from guardray.errors import SourceError
from guardray.schema.network_activity import SCHEMA
from guardray.sources.decoder import BadRow, Decoded, Origin
from guardray.sources.normalised import joined
from guardray.sources.vpc_flow import kernels
from guardray.sources.vpc_flow.columns import decoded
from guardray.sources.vpc_flow.fields import Layout, default_format, header
from guardray.sources.vpc_flow.records import Records

Span = tuple[int, int]
"""Start and end of a line."""

_REFUSED_AT_ONCE = 4096
_NO_ROWS = SCHEMA.frame()


class VpcFlowText:
    """Decodes the lines of one object.

    A header may have the fields in any order, and may come again, the same or another, where files were put together.
    Without one, records must be in the default format of version 2.
    """

    schema = SCHEMA

    def __init__(self) -> None:
        self._layout: Layout | None = None

    def decode(self, lines: bytes, offset: int, origin: Origin) -> Decoded:
        """Decode whole lines; see `LineDecoder`.

        Raises:
            SourceError: the first header leaves out what records cannot do without.
        """
        if not lines.endswith(b"\n"):
            lines += b"\n"
        return joined(list(self._parts(lines, offset, origin)), SCHEMA)

    def _parts(self, lines: bytes, offset: int, origin: Origin) -> Iterator[Decoded]:
        position = 0
        if self._layout is None:
            begin = _begin(lines, origin)
            yield _unusable(lines, begin.refused, "is neither a header nor in the default format", offset)
            position, self._layout = begin.stop, begin.layout
        while self._layout is not None and position < len(lines):
            cut = _cut(lines, position, self._layout, origin)
            yield decoded(cut.records, offset, origin)
            yield _unusable(lines, cut.refused, f"has not the {len(self._layout.names)} fields of its header", offset)
            yield _unusable(lines, cut.useless_headers, "is a header without addresses or times", offset)
            position, self._layout = cut.stop, cut.next_layout


@dataclass(frozen=True)
class _Begin:
    """The first layout of a log, if there is one: where its records start, and the lines before that say nothing."""

    layout: Layout | None
    stop: int
    refused: list[Span]


def _begin(lines: bytes, origin: Origin) -> _Begin:
    refused: list[Span] = []
    start = 0
    while start < len(lines):
        end = lines.index(b"\n", start)
        line = lines[start:end]
        if layout := header(line):
            if lacks := layout.lacks(has_time=origin.key_time is not None):
                raise SourceError(origin.url, f"the flow log has no {lacks}")
            return _Begin(layout, end + 1, refused)
        if layout := default_format(line):
            return _Begin(layout, start, refused)
        if line.strip():
            refused.append((start, end))
        start = end + 1
    return _Begin(None, start, refused)


@dataclass(frozen=True)
class _Cut:
    """Lines cut into fields, up to a header with another layout or to the end.

    Attributes:
        records: lines that have all fields.
        refused: lines that have more or fewer.
        useless_headers: lines that declare a layout with which records tell nothing.
        stop: start of the first line that was not taken.
        next_layout: of the lines from there on.
    """

    records: Records
    refused: list[Span]
    useless_headers: list[Span]
    stop: int
    next_layout: Layout


def _cut(lines: bytes, start: int, layout: Layout, origin: Origin) -> _Cut:
    text = np.frombuffer(lines, np.uint8)
    fields = len(layout.names)
    # Every field takes a byte for the blank after it, and every record room for one number more than it has fields.
    bounds = np.empty(((len(lines) - start) // fields + 2, fields + 1), np.int32)
    buffer = np.empty((_REFUSED_AT_ONCE, 2), np.int32)
    refused: list[Span] = []
    useless: list[Span] = []
    stop, row, vetted, found = start, 0, -1, layout
    while stop < len(lines) and found == layout:
        stop, row, count = kernels.split(text, stop, vetted, layout.positions["srcaddr"], bounds, row, buffer)
        refused += map(tuple, buffer[:count].tolist())
        end = lines.find(b"\n", stop) + 1
        declared = header(lines[stop:end])
        if declared is None:
            vetted = stop
            continue
        if declared.lacks(has_time=origin.key_time is not None):
            useless.append((stop, end - 1))
        else:
            found = declared
        stop = end
    return _Cut(Records(lines, text, bounds[:row], layout), refused, useless, stop, found)


def _unusable(lines: bytes, spans: Iterable[Span], reason: str, offset: int) -> Decoded:
    bad = tuple(
        BadRow(position=offset + start, reason=reason, content=lines[start:end].rstrip()) for start, end in spans
    )
    return Decoded(frame=_NO_ROWS, read=len(bad), bad=bad)
