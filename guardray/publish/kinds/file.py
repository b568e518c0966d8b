"""A folder of files with one finding a line, one file a day."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec

from guardray.publish.destination import Destination
from guardray.publish.sending import Failure, Outcome, Sender
from guardray.store.outbox import Delivery


class Folder(Destination, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="file"):
    """A folder, made where it is missing.

    Attributes:
        folder: relative ones start at the configuration's folder.
    """

    folder: Annotated[str, msgspec.Meta(min_length=1)]

    def sender(self, folder: Path) -> Sender:
        return _Sender(folder / self.folder)


class _Sender:
    batch = 500

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, deliveries: Sequence[Delivery], now: datetime) -> Iterator[Outcome]:
        failure = None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lines = "".join(f"{delivery.json}\n" for delivery in deliveries)
            append(self._folder / f"findings-{now:%Y-%m-%d}.jsonl", lines.encode())
        except OSError as error:
            failure = Failure(f"{self._folder}: {error.strerror or error}")
        yield from ((delivery, failure) for delivery in deliveries)

    def close(self) -> None:
        pass


def append(path: Path, lines: bytes) -> None:
    """Add whole lines to a file, all of them on the disk when this returns, or none where it raises OSError.

    A line that a power cut or a kill left unfinished is taken off first: its delivery was never noted, so it is in
    these lines or comes again.
    """
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # until it is closed; another publisher may have claimed others
        end = _end_of_lines(descriptor)
        os.ftruncate(descriptor, end)
        try:
            _write(descriptor, lines)
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, end)
            raise
    finally:
        os.close(descriptor)
    if is_new:
        _sync_folder(path.parent)


def _write(file: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(file, left) :]


def _end_of_lines(file: int) -> int:
    """Where the last whole line of a file ends."""
    position = os.fstat(file).st_size
    while position:
        start = max(0, position - (1 << 16))
        newline = os.pread(file, position - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        position = start
    return 0


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
