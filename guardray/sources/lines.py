"""Cutting a text at line ends, with a bound on how long a line may be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Lines:
    """Whole lines, the last one of the text with or without its end, and the offset of their first byte."""

    offset: int
    content: bytes


@dataclass(frozen=True)
class GiantLine:
    """A line that is too long to be kept: where it starts, how long it is, and its beginning."""

    offset: int
    length: int
    beginning: bytes


def whole_lines(chunks: Iterable[bytes], max_line_bytes: int, offset: int = 0) -> Iterator[Lines | GiantLine]:
    """Regroup consecutive chunks so that none ends inside a line."""
    begun = _BegunLine(max_line_bytes)
    for chunk in chunks:
        first_end, last_end = chunk.find(b"\n") + 1, chunk.rfind(b"\n") + 1
        if last_end:
            if begun.is_giant:
                begun.extend(chunk[:first_end])
                yield begun.end(offset)
                offset += begun.clear()
            else:
                first_end = 0
            begun.extend(chunk[first_end:last_end])
            if begun.length:
                yield begun.end(offset)
                offset += begun.clear()
        begun.extend(chunk[last_end:])
    if begun.length:
        yield begun.end(offset)


class _BegunLine:
    """What follows the last line end so far. Of a giant only the beginning is kept."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._parts: list[bytes] = []
        self.length = 0
        self.is_giant = False

    def extend(self, part: bytes) -> None:
        ends_line = part.endswith(b"\n")
        self.length += len(part)
        if not self.is_giant:
            self._parts.append(part)
        if self.length > self._max_bytes and not ends_line and not self.is_giant:
            self.is_giant = True
            self._parts = [b"".join(self._parts)[: self._max_bytes]]

    def end(self, offset: int) -> Lines | GiantLine:
        content = b"".join(self._parts)
        return GiantLine(offset, self.length, content) if self.is_giant else Lines(offset, content)

    def clear(self) -> int:
        """Begin anew; gives the length so far."""
        length, self.length, self.is_giant, self._parts = self.length, 0, False, []
        return length
