"""Cutting a text between log files that were written one after another into one object."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

_START = b'{"Records"'
_END_BEFORE = re.compile(rb"\]\s*\}\s*\Z")
"""Inside of a file nothing follows `]}` without a comma between, and texts have their quotation marks escaped."""
_LOOK_BACK = 64


@dataclass(frozen=True)
class Documents:
    """One or more whole JSON documents, and the offset of their first byte."""

    offset: int
    content: bytes
    is_cut: bool = False
    """Whether they are longer than the bound, and end there instead of where the text does."""


def whole_documents(chunks: Iterable[bytes], max_bytes: int, offset: int = 0) -> Iterator[Documents]:
    """Regroup chunks so that each ends where a log file does.

    After documents that are cut nothing more comes: without their end it is not known where the next one starts.
    """
    begun = bytearray()
    chunks = iter(chunks)
    first, second = next(chunks, b""), next(chunks, b"")
    if not second and len(first) <= max_bytes:  # nearly all objects: no need to copy or search them
        yield Documents(offset, first)
        return
    for chunk in chain((first, second), chunks):
        known = len(begun)
        begun += chunk
        end = _last_end(begun, max(0, known - len(_START)))
        if end:
            yield Documents(offset, bytes(begun[:end]))
            del begun[:end]
            offset += end
        if len(begun) > max_bytes:
            yield Documents(offset, bytes(begun[:max_bytes]), is_cut=True)
            return
    if begun:
        yield Documents(offset, bytes(begun))


def _last_end(text: bytearray, searched: int) -> int:
    """Where the last file that is followed by another one ends; 0 if none does."""
    start = text.rfind(_START, searched)
    while start > 0:
        if _END_BEFORE.search(text[max(0, start - _LOOK_BACK) : start]):
            return start
        start = text.rfind(_START, searched, start)
    return 0
