"""Decodes the records of many objects at once: a trail writes thousands of small files, a frame wants many rows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from guardray.schema import EventSchema, api_activity
from guardray.sources.cloudtrail import careful, columns
from guardray.sources.cloudtrail.framing import Framing, spans, without_log_times
from guardray.sources.cloudtrail.records import Record
from guardray.sources.cloudtrail.scan import NOTHING, Scanned, scan, scan_records
from guardray.sources.decoder import BadRow, Origin

_DENSITY_SAMPLE = 61
"""Every 61st byte is looked at: a prime, so that no repeated pattern can hide between the looks."""
_LEAST_BYTES_A_VALUE = 6
_DENSE_FROM_BYTES = 1 << 20

_MOST_BAD_IN_A_ROW = 10_000
"""In one text. A log with more is another kind of log, or an attack on the time that looking at each one takes."""


@dataclass(frozen=True, kw_only=True)
class CloudTrailBatch:
    """Records of several texts: rows in the order they were added, and all that is no row.

    `read == frame.height + len(bad) + passed_over`; `bad` goes with the origin that it came from.
    """

    frame: pl.DataFrame
    read: int
    passed_over: int
    bad: tuple[tuple[Origin, BadRow], ...]


@dataclass(kw_only=True)
class _Piece:
    """Records of one text. The text stays until they are columns, to find the bytes of one that turns out unusable."""

    text: bytes
    offset: int
    framing: Framing
    origin: Origin
    scanned: Scanned = NOTHING
    bad: list[BadRow] = field(default_factory=list)


class CloudTrailDecoder:
    """Collects texts with `add` and turns all of them into one batch with `take`."""

    schema: EventSchema = api_activity.SCHEMA

    def __init__(self) -> None:
        self._pieces: list[_Piece] = []
        self.pending_records = 0
        self.pending_bytes = 0

    def add(self, text: bytes, offset: int, framing: Framing, origin: Origin) -> None:
        """Decode a text of whole records; `offset` is where it starts in its object's decompressed text."""
        piece = _Piece(text=text, offset=offset, framing=framing, origin=origin)
        if _is_too_dense(text):
            piece.bad.append(
                BadRow(position=offset, reason="too many JSON values for its size: not a log", content=text)
            )
        elif (scanned := scan(without_log_times(text))) is None:
            _read_carefully(piece)
        else:
            piece.scanned = scanned
        self._pieces.append(piece)
        self.pending_records += len(piece.scanned) + len(piece.bad)
        self.pending_bytes += len(text)

    def take(self) -> CloudTrailBatch:
        """All that was added since the last call."""
        pieces, self._pieces = self._pieces, []
        self.pending_records = self.pending_bytes = 0
        rows = _columns(pieces)
        if not rows.is_sound.all():
            for piece in _pieces_of(pieces, np.flatnonzero(~rows.is_sound)):
                _read_carefully(piece)
            rows = _columns(pieces)
        bad = tuple((piece.origin, row) for piece in pieces for row in piece.bad)
        return CloudTrailBatch(
            frame=rows.frame,
            read=len(rows.is_kept) + len(bad),
            passed_over=int((~rows.is_kept).sum()),
            bad=bad,
        )


def _is_too_dense(text: bytes) -> bool:
    """Whether a text would become far more objects than a log of its size: millions of `{}` are an attack on memory."""
    if len(text) < _DENSE_FROM_BYTES:
        return False
    sample = text[::_DENSITY_SAMPLE]
    return (sample.count(b"{") + sample.count(b",")) * _LEAST_BYTES_A_VALUE > len(sample)


def _read_carefully(piece: _Piece) -> None:
    records: list[Record] = []
    piece.bad = []
    _read_spans(piece, records)
    piece.scanned = scan_records(records)


def _read_spans(piece: _Piece, records: list[Record]) -> None:
    in_a_row = 0
    for span in spans(piece.text, piece.offset, piece.framing):
        if in_a_row > _MOST_BAD_IN_A_ROW:
            reason = f"after {in_a_row:,} unusable records in a row, the rest of this part is not tried"
            piece.bad.append(BadRow(position=span.position, reason=reason, content=span.content))
            return
        for record in careful.records(span.content):
            if isinstance(record, Record):
                records.append(record)
                in_a_row = 0
            else:
                piece.bad.append(BadRow(position=span.position, reason=str(record), content=span.content))
                in_a_row += 1


def _columns(pieces: list[_Piece]) -> columns.Columns:
    return columns.api_activity([piece.scanned for piece in pieces], [piece.origin for piece in pieces])


def _pieces_of(pieces: list[_Piece], rows: np.ndarray) -> list[_Piece]:
    ends = np.cumsum([len(piece.scanned) for piece in pieces])
    return [pieces[index] for index in np.unique(np.searchsorted(ends, rows, side="right"))]
