"""Messages that were taken out of a queue unread, kept where a person can look at them and put them back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec


class KeptMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message that was set aside.

    Attributes:
        time: when it was set aside.
        queue: the queue's URL.
        body: the whole body, as it was received: sending it again puts the message back.
    """

    time: datetime
    queue: str
    message_id: str
    receive_count: int
    reason: str
    body: str


class MessageRecord:
    """A file with a JSON line for each message that was set aside.

    Args:
        path: made, with its folder, when the first message comes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __str__(self) -> str:
        return str(self._path)

    def add(self, message: KeptMessage) -> None:
        """Write one down; it is on the disk when this returns, so that the message may be deleted.

        Raises:
            OSError: it could not be written.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # A line that a crash cut short must not swallow the next one.
        with self._path.open("ab") as file:
            start = b"" if file.tell() == 0 or self._ends_a_line() else b"\n"
            file.write(start + msgspec.json.encode(message) + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def __iter__(self) -> Iterator[KeptMessage]:
        """All that were set aside, oldest first; half a line that a crash has left is passed over."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            for line in file:
                try:
                    yield msgspec.json.decode(line, type=KeptMessage)
                except msgspec.DecodeError:
                    continue

    def _ends_a_line(self) -> bool:
        with self._path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"
