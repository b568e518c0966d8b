"""What a checkpoint consists of: one JSON file that names the bytes of every table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from hashlib import blake2b
from typing import Any

import msgspec
import pyarrow as pa

from guardray.checkpoints.versions import check_version
from guardray.errors import DamagedStateError

MANIFEST = "manifest.json"


class Chunk(msgspec.Struct, frozen=True):
    """Some rows of a table, as the bytes of an Arrow IPC file.

    Attributes:
        file: path below the root of all checkpoints; of this checkpoint or, where nothing changed, of an earlier one.
        offset: where the bytes begin in the file.
        length: how many they are.
        digest: of them, as `digest_of` gives it.
    """

    file: str
    offset: int
    length: int
    digest: str


class StoredTable(msgspec.Struct, frozen=True):
    """A table by its name, the number of its rows, and its chunks in the order of their rows."""

    name: str
    rows: int
    chunks: tuple[Chunk, ...]


class Part(msgspec.Struct, frozen=True):
    """The tables that one process wrote: a shard, or the coordinator."""

    name: str
    tables: tuple[StoredTable, ...]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint.

    Attributes:
        state_version: see `guardray.checkpoints.versions`.
        guardray: version of the program that wrote it.
        number: of the checkpoint.
        fence: of the writer.
        epoch: the last one whose state it holds.
        shards: among how many the key groups are divided; shard k of them wrote the part `shard_part(k)`.
        content: what else the coordinator keeps, plain JSON.
        parts: by whom the tables were written.
    """

    state_version: int
    guardray: str
    number: int
    fence: int
    epoch: int
    shards: int
    created_at: datetime
    content: dict[str, Any]
    parts: tuple[Part, ...]

    def part(self, name: str) -> Part:
        """The part of this name. Raises KeyError."""
        return next((part for part in self.parts if part.name == name), None) or _missing(name)

    def chunks(self) -> Iterator[Chunk]:
        """All chunks of all tables."""
        return (chunk for part in self.parts for table in part.tables for chunk in table.chunks)

    def files(self) -> frozenset[str]:
        """The files that hold the tables."""
        return frozenset(chunk.file for chunk in self.chunks())


class _Header(msgspec.Struct):
    state_version: int
    guardray: str


def shard_part(shard: int) -> str:
    """What the part of a shard is called."""
    return f"shard-{shard}"


def encode_manifest(manifest: Manifest) -> bytes:
    """The manifest as it is written."""
    return msgspec.json.encode(manifest)


def decode_manifest(data: pa.Buffer | bytes, digest: str, place: str) -> Manifest:
    """A manifest as it was written.

    Args:
        digest: of its bytes, as they were registered.
        place: what messages call the file.

    Raises:
        DamagedStateError: it is not what was written.
        RefusedStateError: another version of the program wrote it, and this one cannot go on from there.
    """
    if digest_of(data) != digest:
        raise DamagedStateError(place, "its bytes are not those that were written")
    try:
        header = msgspec.json.decode(data, type=_Header)
        check_version(header.state_version, header.guardray, place)
        return msgspec.json.decode(data, type=Manifest)
    except msgspec.DecodeError as error:
        raise DamagedStateError(place, str(error)) from error


def digest_of(data: pa.Buffer | bytes | memoryview) -> str:
    """BLAKE2b of 256 bits, in hex: no two different contents share it, by accident or on purpose."""
    return blake2b(data, digest_size=32).hexdigest()


def _missing(name: str) -> Part:
    raise KeyError(name)
