"""Texts of whole records scanned: where the members lie that become columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from msgspec import Raw, json, structs
from numpy.typing import NDArray

from guardray.sources.cloudtrail import scanner
from guardray.sources.cloudtrail.cells import have_escapes
from guardray.sources.cloudtrail.json_text import REFUSED
from guardray.sources.cloudtrail.records import LogFile, Record

S3_SERVICES = ("s3.amazonaws.com", "s3express.amazonaws.com", "s3-outposts.amazonaws.com", "s3control.amazonaws.com")

FLAGS = ("read_only", "management_event")
_PARAMETERS = {"bucket_name": "bucketName", "object_key": "key"}
"""Members of a request to S3."""
_AMOUNTS = {"additional_bytes_in": "bytesTransferredIn", "additional_bytes_out": "bytesTransferredOut"}
"""Members of what S3 tells beside."""

_LEAST_RECORD_BYTES = 600
"""Room is made for as many records as a text has if they are so short; where they are shorter, it is made again."""
_MOST_BYTES = 2**31 - 1


def _kind(field: structs.FieldInfo) -> int:
    if field.name in FLAGS:
        return scanner.FLAG
    if field.name == "user_identity":
        return scanner.REPEATED
    return scanner.JSON if field.type is Raw else scanner.TEXT


_FIELDS = structs.fields(Record)
_NAMES = scanner.name_table({field.encode_name: _kind(field) for field in _FIELDS})
_SERVICES = scanner.name_table(dict.fromkeys(S3_SERVICES, scanner.TEXT))
_PARAMETER_NAMES = scanner.name_table(dict.fromkeys(_PARAMETERS.values(), scanner.TEXT), first=len(_FIELDS))
_AMOUNT_NAMES = scanner.name_table(
    dict.fromkeys(_AMOUNTS.values(), scanner.JSON), first=len(_FIELDS) + len(_PARAMETERS)
)
_NUMBERS = {name: number for number, name in enumerate(chain((field.name for field in _FIELDS), _PARAMETERS, _AMOUNTS))}


@dataclass(frozen=True)
class Scanned:
    """The records of a text: int64 [fields, records], what the scanner says of each member, and what that points into.

    `content` is the text, and after it what texts with escapes stand for.
    """

    content: bytes
    cells: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.cells[0])

    @property
    def address(self) -> int:
        """Where the content lies in memory, for as long as it is held."""
        return int(np.frombuffer(self.content, np.uint8).ctypes.data) if self.content else 0


NOTHING = Scanned(b"", np.empty((len(_NUMBERS), 0), np.int64))


def scan(text: bytes) -> Scanned | None:
    """The records of log files, or records alone, one after another; None if not all of them are as documented."""
    if not text or text.isspace():
        return NOTHING
    if len(text) > _MOST_BYTES or not _is_utf8(text):
        return None
    cells = _cells(text)
    # JSON columns are of one line. In sound JSON, line ends are white space between tokens.
    return None if cells is None else _unescaped(Scanned(text.replace(b"\n", b" "), cells))


def scan_records(records: Sequence[Record]) -> Scanned:
    """The same of records that had to be read another way."""
    scanned = scan(json.encode(LogFile(list(records))))
    assert scanned is not None, "values that were scanned or written here are as documented"
    return scanned


def number_of(field: str) -> int:
    """Which of the cells a field of `Record` has, or a column of what is looked into for S3."""
    return _NUMBERS[field]


def _is_utf8(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _cells(text: bytes) -> NDArray[np.int64] | None:
    capacity = 4 + len(text) // _LEAST_RECORD_BYTES
    while True:
        cells = np.empty((len(_NUMBERS), capacity), np.int64)
        address = np.uint64(np.frombuffer(text, np.uint8).ctypes.data)
        found = scanner.scan(address, len(text), _NAMES, _SERVICES, _PARAMETER_NAMES, _AMOUNT_NAMES, cells)
        if found == REFUSED:
            return None
        if found != scanner.FULL:
            return cells[:, :found]
        capacity *= 8


def _unescaped(scanned: Scanned) -> Scanned:
    """With what its texts stand for, which lies after the text where they have escapes."""
    content, cells = scanned.content, scanned.cells
    if not have_escapes(cells):
        return scanned
    texts, end = [content], len(content)
    for number, row in np.argwhere((cells >= 0) & (cells & 1 > 0)).tolist():
        start, length = scanner.place(int(cells[number, row]))
        text = json.decode(b'"%b"' % content[start : start + length], type=str).encode()
        cells[number, row] = scanner.cell(end, end + len(text), 0)
        texts.append(text)
        end += len(text)
    return Scanned(b"".join(texts), cells)
