"""An object's bytes as text: gunzipped as a stream, within bounds, and whole up to where it is damaged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from isal import igzip_lib

from guardray.sources.limits import Limits

GZIP_MAGIC = b"\x1f\x8b"

_READ_BYTES = 1 << 20
_CHUNK_BYTES = 4 << 20
_USUAL_RATIO = 40
"""Asking for much more than a small file holds would cost the clearing of a large buffer for each of thousands."""

_SALVAGE_BYTES = 4096
"""What is lost before damage at most: the decompressor drops the output of the call that meets it."""


@dataclass(frozen=True)
class Damage:
    """Where an object's text ends before its time, and why."""

    position: int
    reason: str


class _Stop(Exception):  # noqa: N818 - it ends a stream and never leaves this module
    pass


class ObjectText:
    """The text of one object, to be read once.

    Args:
        file: the raw bytes, seekable.
        limits: on what comes out of gzip; a plain file may be longer, since it is no larger than it looks.
    """

    def __init__(self, file: IO[bytes], limits: Limits) -> None:
        self._file = file
        self._limits = limits
        self.damage: Damage | None = None

    def chunks(self) -> Iterator[bytes]:
        """Consecutive pieces of the text. After the last one, `damage` says if the object holds more than that."""
        magic = self._file.read(len(GZIP_MAGIC))
        self._file.seek(0)
        if magic != GZIP_MAGIC:
            yield from iter(lambda: self._file.read(_CHUNK_BYTES), b"")
            return
        given = 0
        try:
            for chunk in self._members(_CHUNK_BYTES):
                given += len(chunk)
                yield chunk
        except igzip_lib.IsalError:  # type: ignore[misc]  # its stub says it is a variable
            yield from self._salvaged(given)
        except _Stop as stop:
            self.damage = Damage(given, str(stop))

    def _salvaged(self, given: int) -> Iterator[bytes]:
        """Decompress again in small steps and give what lies between `given` and the damage."""
        self._file.seek(0)
        position = 0
        try:
            for chunk in self._members(_SALVAGE_BYTES):
                position += len(chunk)
                if position > given:
                    yield chunk[-(position - given) :]
                    given = position
        except igzip_lib.IsalError as error:  # type: ignore[misc]
            self.damage = Damage(position, f"damaged gzip: {error}")
        except _Stop as stop:
            self.damage = Damage(position, str(stop))

    def _members(self, step: int) -> Iterator[bytes]:
        """The text of all gzip members, one after another."""
        rest, read, written = b"", 0, 0
        while True:
            member = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
            while not member.eof:
                if member.needs_input and not rest:
                    rest = self._file.read(_READ_BYTES)
                    read += len(rest)
                    if not rest:
                        raise _Stop("gzip ends early: the file is truncated")
                chunk = member.decompress(rest, min(step, _USUAL_RATIO * max(read, _SALVAGE_BYTES)))
                rest = b""
                written += len(chunk)
                if chunk:
                    yield chunk
                self._check_bounds(read, written)
            rest = member.unused_data
            if not rest:
                rest = self._file.read(_READ_BYTES)
                read += len(rest)
            rest = rest.lstrip(b"\0")
            if not rest:
                return
            if not GZIP_MAGIC.startswith(rest[: len(GZIP_MAGIC)]):
                raise _Stop("bytes after the end of the gzip stream")

    def _check_bounds(self, read: int, written: int) -> None:
        limits = self._limits
        if written > limits.max_object_bytes:
            raise _Stop(f"more than {limits.max_object_bytes:,} bytes when decompressed")
        if written > limits.ratio_from_bytes and written > limits.max_ratio * read:
            raise _Stop(f"decompresses to more than {limits.max_ratio} times its size: not a log")
