"""What could not be used: each row or object with its place and reason, kept where it can be looked at later."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from guardray.sources.decoder import BadRow

CONTENT_BYTES = 64 * 1024
"""How much of a bad row is kept: enough to see what is wrong, while a bad terabyte does not fill the disk."""

_FOLDER_BYTES = 256 * 1024 * 1024
"""After this much a run writes places and reasons only: they say where in the input the rows still are."""


@dataclass(frozen=True)
class SetAside:
    """A row, or an object or the rest of one, that was set aside.

    Args:
        url: the object.
        position: byte offset in the decompressed text, row number in Parquet; None for a whole object.
        reason: for a person to read.
        content: the row, cut to `CONTENT_BYTES`; None where an object or its rest is set aside.
    """

    url: str
    position: int | None
    reason: str
    content: bytes | None = None

    @classmethod
    def row(cls, url: str, bad: BadRow) -> SetAside:
        """A record that a decoder refused."""
        return cls(url, bad.position, bad.reason, bad.content[:CONTENT_BYTES])

    @property
    def is_row(self) -> bool:
        return self.content is not None

    def __str__(self) -> str:
        place = self.url if self.position is None else f"{self.url}, offset {self.position}"
        return f"{place}: {self.reason}"


_MOST_ENTRIES = 1_000_000


class _Entry(msgspec.Struct, omit_defaults=True):
    """One line of the file: text where the content is UTF-8, base64 where it is not."""

    time: datetime
    url: str
    reason: str
    position: int | None = None
    content: str | None = None
    content_base64: str | None = None


class SetAsideFolder:
    """Rows set aside by one run, a JSON line each, in a file of their own that is made when the first one comes.

    Args:
        state: the state folder; the files are in `set-aside` below it.
        started: names this run's file; now if not given.
    """

    def __init__(self, state: Path, started: datetime | None = None) -> None:
        self._folder = state / "set-aside"
        self._path = self._folder / f"{started or datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.jsonl"
        self._room = _FOLDER_BYTES
        self._entries = 0

    def __str__(self) -> str:
        return str(self._path)

    def add(self, row: SetAside, time: datetime | None = None) -> None:
        """Write one down. The millionth of a run says that no more are: they are still counted, and in the input."""
        self._entries += 1
        if self._entries > _MOST_ENTRIES:
            return
        if self._entries == _MOST_ENTRIES:
            row = SetAside(row.url, row.position, f"{row.reason} (the last one that is written down)")
        entry = _Entry(time=time or datetime.now(UTC), url=_text(row.url), reason=row.reason, position=row.position)
        if row.content is not None and len(row.content) <= self._room:
            self._room -= len(row.content)
            _keep_content(entry, row.content[:CONTENT_BYTES])
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(entry) + b"\n")

    def entries(self) -> Iterator[SetAside]:
        """What all runs have set aside, oldest run first."""
        for path in sorted(self._folder.glob("*.jsonl")):
            with path.open("rb") as file:
                yield from (_set_aside(msgspec.json.decode(line, type=_Entry)) for line in file)


def _text(name: str) -> str:
    """A file name in UTF-8, with the bytes that are none written out."""
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")


def _keep_content(entry: _Entry, content: bytes) -> None:
    try:
        entry.content = content.decode()
    except UnicodeDecodeError:
        entry.content_base64 = base64.b64encode(content).decode()


def _set_aside(entry: _Entry) -> SetAside:
    content = None if entry.content is None else entry.content.encode()
    if entry.content_base64 is not None:
        content = base64.b64decode(entry.content_base64)
    return SetAside(entry.url, entry.position, entry.reason, content)
