"""What is known of files in a watched folder: which are the same under another name, which have grown, and to where.

A file is known by its inode and how it begins, so that one that was renamed is not read again, and one that was cut and
written anew under its old name is. Text that only grows is read line by line from where reading ended.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote, unquote

from guardray.connectors.blocks import Blocks
from guardray.connectors.seen import digest_of
from guardray.sources.sniff import PARQUET_MAGIC
from guardray.sources.text import GZIP_MAGIC

_HEAD_BYTES = 1_024
"""Of a file's beginning and of the end of what was read, to tell whether it is what it was."""

_STEP_BYTES = 1 << 16

PART_BYTES = 64 << 20
"""Of text that is read at once, so that a large file is not in memory as a whole."""


@dataclass(frozen=True, kw_only=True)
class FileState:
    """A file as it was when it was looked at.

    Args:
        path: where it was.
        device, inode: which file it is, on this machine, as long as it exists.
        size: in bytes.
        modified_ns: when it was written last, in nanoseconds since 1970.
    """

    path: str
    device: int
    inode: int
    size: int
    modified_ns: int

    @classmethod
    def of(cls, path: str, status: os.stat_result) -> FileState:
        """From what the system says of it."""
        return cls(
            path=path,
            device=status.st_dev,
            inode=status.st_ino,
            size=status.st_size,
            modified_ns=status.st_mtime_ns,
        )

    def is_unchanged(self, before: FileState) -> bool:
        """Whether the file was not written to since."""
        return (self.size, self.modified_ns) == (before.size, before.modified_ns)

    @property
    def identity(self) -> tuple[int, int]:
        return self.device, self.inode


@dataclass(frozen=True)
class ReadFile:
    """How far a file was read.

    Args:
        state: as it was then.
        end: bytes of it that are read.
        print: digest of its first bytes and of the last ones before `end`.
    """

    state: FileState
    end: int
    print: int

    def to_json(self, folder: str) -> list[Any]:
        """As plain JSON, with the path from a folder on."""
        state = self.state
        # A path may hold bytes that are no UTF-8, and so no JSON.
        path = quote(os.path.relpath(state.path, folder), errors="surrogateescape")
        return [path, state.device, state.inode, state.size, state.modified_ns, self.end, f"{self.print:016x}"]

    @classmethod
    def from_json(cls, kept: list[Any], folder: Path) -> ReadFile:
        """What `to_json` gave."""
        path, device, inode, size, modified_ns, end, print_ = kept
        path = str(folder / unquote(path, errors="surrogateescape"))
        state = FileState(path=path, device=device, inode=inode, size=size, modified_ns=modified_ns)
        return cls(state, end, int(print_, 16))


@dataclass(frozen=True)
class Part:
    """What is to be read of a file: bytes from `start` to `end`, or all of it where `end` is None."""

    start: int
    end: int | None


_WHOLE = Part(0, None)


def part_to_read(state: FileState, known: ReadFile | None) -> Part | None:
    """What of a file is new; None where nothing is.

    Text is given in parts that end with a line, so that what is appended while a part is read comes with the next one.

    Args:
        known: what was read of the same file before.

    Raises:
        OSError: the file cannot be read.
    """
    if known is not None and state.is_unchanged(known.state) and known.end == state.size:
        return None
    with Path(state.path).open("rb") as file:
        if known is None or state.size < known.end or print_of(file, known.end) != known.print:
            return _first_part(file, state.size)
        return _next_part(file, known.end, state.size)


def print_of(file: BinaryIO, end: int) -> int:
    """Digest of a file's first bytes and of those before `end`."""
    file.seek(0)
    head = file.read(min(_HEAD_BYTES, end))
    file.seek(max(0, end - _HEAD_BYTES))
    tail = file.read(min(_HEAD_BYTES, end))
    return digest_of(head.hex(), tail.hex())


def _first_part(file: BinaryIO, size: int) -> Part:
    if not _is_text(file):
        return _WHOLE
    if size <= PART_BYTES:
        return Part(0, size)
    end = _line_end(file, 0, PART_BYTES)
    return Part(0, end) if end else _WHOLE


def _next_part(file: BinaryIO, end: int, size: int) -> Part | None:
    """What was added after `end`; all of the file where it is none that grows."""
    if size == end:
        return None
    if not _is_text(file):
        # Members may be appended to gzip. What else comes after it was not whole when it was read.
        file.seek(end)
        return Part(end, size) if file.read(len(GZIP_MAGIC)) == GZIP_MAGIC else _WHOLE
    start = _line_end(file, 0, end)
    if start == 0:
        # Not one whole line was there: it was a document, and is another one now.
        return _first_part(file, size)
    last = _line_end(file, start, min(size, start + PART_BYTES))
    return Part(start, last) if last > start else None


def _is_text(file: BinaryIO) -> bool:
    file.seek(0)
    magic = file.read(len(PARQUET_MAGIC))
    return magic != PARQUET_MAGIC and not magic.startswith(GZIP_MAGIC)


def _line_end(file: BinaryIO, start: int, end: int) -> int:
    """Where the last whole line between two places ends; `start` where there is none."""
    while end > start:
        begin = max(start, end - _STEP_BYTES)
        file.seek(begin)
        newline = file.read(end - begin).rfind(b"\n")
        if newline >= 0:
            return begin + newline + 1
        end = begin
    return start


class ReadFiles:
    """All files of a folder that were read, by path and by inode.

    Args:
        folder: that paths are kept relative to.
    """

    def __init__(self, folder: str, files: Iterable[ReadFile] = ()) -> None:
        self._by_path: Blocks[ReadFile] = Blocks(lambda file: file.to_json(folder))
        self._paths: dict[tuple[int, int], str] = {}
        for file in files:
            self.add(file)

    def __iter__(self) -> Iterator[ReadFile]:
        return iter(self._by_path)

    def __len__(self) -> int:
        return len(self._by_path)

    def texts(self) -> list[str]:
        """All of them, as a position has them."""
        return self._by_path.texts()

    def add(self, file: ReadFile) -> None:
        """Note how far a file was read."""
        self.forget(file.state.path)
        moved_from = self._paths.get(file.state.identity)
        if moved_from is not None:
            self.forget(moved_from)
        self._by_path.put(file.state.path, file)
        self._paths[file.state.identity] = file.state.path

    def known(self, state: FileState) -> ReadFile | None:
        """What was read of this file, under whatever name."""
        path = self._paths.get(state.identity)
        if path is not None:
            return self._by_path.get(path)
        # Devices of network and container file systems are numbered anew when they are mounted.
        file = self._by_path.get(state.path)
        return file if file is not None and state.is_unchanged(file.state) else None

    def forget(self, path: str) -> None:
        """Forget a file that is gone."""
        file = self._by_path.remove(path)
        if file is not None and self._paths.get(file.state.identity) == path:
            del self._paths[file.state.identity]
