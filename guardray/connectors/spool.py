"""A place on disk for what is sent to us: taken only when it is safe there, and only as much as there is room for.

Each body becomes one file, written beside its place, flushed, and moved there in one step. Several processes may write
to a spool at once; one reads it.
"""

from __future__ import annotations

import errno
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import BinaryIO
from uuid import uuid4

from guardray.connectors.draining import Drain, Usage
from guardray.errors import RefusedError, SpoolFullError, UsageError
from guardray.sources.limits import Limits
from guardray.sources.sniff import HEAD_BYTES, PARQUET_MAGIC, Format, Unknown, sniff
from guardray.sources.text import ObjectText

_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_USAGE_AGE_S = 0.5
"""Looking at the folder takes some ten milliseconds when it is full, and others write to it as well."""

_ABANDONED_S = 3600.0
"""Nobody keeps a connection open for so long without sending anything."""


@dataclass(frozen=True, kw_only=True)
class SpoolConfig:
    """A spool and its bounds.

    Args:
        path: its folder, made where it is missing.
        max_body_bytes: of one body, as it is sent.
        max_text_bytes: of one body, decompressed.
        max_bytes: of all that waits.
        max_objects: that wait.
    """

    path: Path
    max_body_bytes: int = 64 << 20
    max_text_bytes: int = 1 << 30
    max_bytes: int = 4 << 30
    max_objects: int = 10_000


@dataclass(frozen=True)
class Accepted:
    """A body that is on the disk.

    Args:
        name: of its file in the spool: when it came, and something that no other has.
        size: in bytes, as it was sent.
    """

    name: str
    size: int


class Spool:
    """Takes bodies. Any number of threads may use it."""

    def __init__(self, config: SpoolConfig) -> None:
        self._config = config
        self._lock = Lock()
        self._drain = Drain()
        self._looked_at = 0.0
        self._usage = Usage()
        self._reserved = Usage()
        config.path.mkdir(parents=True, exist_ok=True)
        self._remove_abandoned()

    def accept(self, source: str, body: Iterable[bytes], size: int | None = None) -> Accepted:
        """Take a body; it survives any crash once this returns.

        Args:
            source: who sends it, as the sender names itself.
            body: CloudTrail, flow or Resolver logs, plain or gzip, or Security Lake's Parquet; in pieces of any size.
            size: how long it will be, if the sender said so.

        Raises:
            RefusedError: it is no log, damaged, or too large.
            SpoolFullError: too much waits to be read.
            UsageError: no source is called that.
            OSError: the disk failed.
        """
        if not _SOURCE.fullmatch(source):
            raise UsageError(f"{source!r} is no name for a source: letters, digits, dots, dashes and underscores")
        most = self._config.max_body_bytes
        if size is not None and size > most:
            raise RefusedError(f"the body is larger than {most:,} bytes")
        reserved = Usage(1, most if size is None else size)
        self._reserve(reserved)
        try:
            return self._store(source, body)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise SpoolFullError("the disk is full", self._drain.time_for(reserved)) from error
        finally:
            with self._lock:
                self._reserved -= reserved

    def usage(self) -> Usage:
        """What waits in the spool, not older than half a second."""
        with self._lock:
            return self._current_usage()

    def _reserve(self, wanted: Usage) -> None:
        with self._lock:
            used = self._current_usage() + self._reserved + wanted
            for what, use, most in (
                ("objects", used.objects, self._config.max_objects),
                ("bytes", used.size, self._config.max_bytes),
            ):
                if use > most:
                    reason = f"more than {most:,} {what} would wait to be read"
                    raise SpoolFullError(reason, self._drain.time_for(used - self._room))
            self._reserved += wanted

    @property
    def _room(self) -> Usage:
        return Usage(self._config.max_objects, self._config.max_bytes)

    def _current_usage(self) -> Usage:
        now = time.monotonic()
        if now - self._looked_at > _USAGE_AGE_S:
            found = Usage.of(status for _, status in waiting(self._config.path))
            if self._looked_at:
                self._drain.observe(self._usage - found, now - self._looked_at)
            self._usage, self._looked_at = found, now
        return self._usage

    def _store(self, source: str, body: Iterable[bytes]) -> Accepted:
        handle, partial = tempfile.mkstemp(prefix=".", dir=self._config.path)
        try:
            with os.fdopen(handle, "w+b") as file:
                size = self._write(file, body)
                suffix = self._suffix_of(file)
                file.flush()
                os.fsync(file.fileno())
            # Names sort by arrival; sources of one moment do not meet.
            name = f"{time.time_ns():020}-{uuid4().hex[:12]}-{source}{suffix}"
            Path(partial).rename(self._config.path / name)
        finally:
            Path(partial).unlink(missing_ok=True)
        flush_folder(self._config.path)
        with self._lock:
            self._usage += Usage(1, size)
        return Accepted(name, size)

    def _remove_abandoned(self) -> None:
        """Bodies that nobody writes any more, since who did was killed: their senders know of no success."""
        for path in self._config.path.glob(".*"):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > _ABANDONED_S:
                    path.unlink()

    def _write(self, file: BinaryIO, body: Iterable[bytes]) -> int:
        size = 0
        for piece in body:
            size += len(piece)
            if size > self._config.max_body_bytes:
                raise RefusedError(f"the body is larger than {self._config.max_body_bytes:,} bytes")
            file.write(piece)
        if size == 0:
            raise RefusedError("the body is empty")
        return size

    def _suffix_of(self, file: BinaryIO) -> str:
        """How to call a file with this content.

        Raises:
            RefusedError: it is none that can be read to its end.
        """
        file.seek(0)
        start = file.read(len(PARQUET_MAGIC))
        file.seek(0)
        if start == PARQUET_MAGIC:
            return ".parquet"
        # Everything is decompressed once, so that nothing is taken that turns out to be damaged when it is read.
        text = ObjectText(file, replace(Limits(), max_object_bytes=self._config.max_text_bytes))
        head = b""
        for chunk in text.chunks():
            head += chunk[: max(0, HEAD_BYTES - len(head))]
        found = sniff(head.removeprefix(b"\xef\xbb\xbf"))
        if isinstance(found, Unknown):
            raise RefusedError(f"the body is no log that is read here: {found.reason}")
        if text.damage is not None:
            raise RefusedError(f"the body is damaged: {text.damage.reason}, offset {text.damage.position}")
        if found in (Format.EMPTY, Format.PASSED_OVER):
            raise RefusedError(f"the body holds no log records: {found.value}")
        return ".log"


def waiting(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Names and facts of the bodies in a spool, in no order."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith("."):
                try:
                    yield entry.name, entry.stat()
                except FileNotFoundError:  # it was read meanwhile
                    continue


def flush_folder(folder: Path) -> None:
    """Make sure that the names in a folder are on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
