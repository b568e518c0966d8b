"""Writing and reading the tables of one process, only those that changed: each shard does this for itself.

Large tables are cut into chunks, each a file of its own. Chunks whose bytes the checkpoint before holds are not written
again: the manifest names the earlier file. What is small goes into one file that all small tables of a part share,
since files cost more than bytes there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from guardray.checkpoints.manifest import Chunk, Manifest, Part, StoredTable, digest_of
from guardray.checkpoints.place import Place
from guardray.checkpoints.versions import Tables, bring_up
from guardray.errors import DamagedStateError

SMALL = 256 * 1024
"""Bytes of a chunk, compressed, below which it shares a file. Writing a file costs about as long as writing so much."""

_PACK = ".arrows"
"""Ending of files that hold many tables; those that hold one end in `.arrow`."""

_NAME_DIGITS = 32
"""Of a file's digest that make its name."""

Cut = Callable[[str, pa.Table], Sequence[pa.Table]]
"""Divides the rows of a table, given its name, into those that tend to change and those that do not.

At least one piece, which one after the other give the table in some order. Equal rows should give equal pieces.
"""


def uncut(name: str, table: pa.Table) -> Sequence[pa.Table]:
    """The table in one piece."""
    return (table,)


@dataclass(frozen=True)
class Draft:
    """A checkpoint that is being written. It travels to those who write its parts.

    Attributes:
        url: the root of all checkpoints.
        folder: its own folder below the root, which no other writer ever uses.
        number: of the checkpoint.
        fence: of the writer.
        previous: parts of the checkpoint before by name, whose chunks need not be written again.
    """

    url: str
    folder: str
    number: int
    fence: int
    previous: Mapping[str, Part] = field(default_factory=dict)


def write_part(draft: Draft, name: str, tables: Mapping[str, pa.Table], cut: Cut = uncut) -> Part:
    """Write tables as one part of a checkpoint.

    Args:
        name: of the part, as `shard_part` gives it, or such as `coordinator`; each is written once a checkpoint.
        tables: by name; the name is a label, never a path.
        cut: divides large tables.

    Returns:
        What the manifest has to say of them.

    Raises:
        StateError: the disk is full, or the bucket refuses. What was written is no harm, and is cleaned later.
    """
    writer = _PartWriter(Place(draft.url), f"{draft.folder}/{name}", draft.previous.get(name))
    return writer.write(name, tables, cut)


def read_part(url: str, manifest: Manifest, name: str) -> Tables:
    """The tables of a part by name, as this program keeps them.

    Args:
        url: the root of all checkpoints.

    Raises:
        DamagedStateError: a file is missing, or not what was written.
        StateError: the place cannot be read for the moment.
    """
    reader = _PartReader(Place(url))
    tables = {table.name: reader.read(table) for table in manifest.part(name).tables}
    return bring_up(name, tables, manifest.state_version)


def check_files(place: Place, manifest: Manifest) -> None:
    """Read all files of a checkpoint, and raise DamagedStateError where one is missing or not what was written."""
    by_file: dict[str, list[Chunk]] = {}
    for chunk in manifest.chunks():
        by_file.setdefault(chunk.file, []).append(chunk)
    for file, chunks in by_file.items():
        data = place.read(file)
        for chunk in chunks:
            _bytes_of(chunk, data, place)


class _PartWriter:
    """Files of one part."""

    def __init__(self, place: Place, folder: str, previous: Part | None) -> None:
        self._place, self._folder = place, folder
        earlier = previous.tables if previous is not None else ()
        self._known = {chunk.digest: chunk for table in earlier for chunk in table.chunks}
        self._small: dict[str, pa.Buffer] = {}
        self._written: dict[str, Chunk] = {}

    def write(self, name: str, tables: Mapping[str, pa.Table], cut: Cut) -> Part:
        pieces = {table: [self._put(piece) for piece in cut(table, rows)] for table, rows in tables.items()}
        self._finish_small()
        return Part(
            name,
            tuple(
                StoredTable(table, tables[table].num_rows, tuple(self._written[digest] for digest in digests))
                for table, digests in pieces.items()
            ),
        )

    def _put(self, piece: pa.Table) -> str:
        """Write a piece, or see to it that it will be. Returns its digest."""
        data = _encode(piece)
        digest = digest_of(data)
        if digest in self._written or digest in self._small:
            return digest
        if data.size < SMALL:
            self._small[digest] = data
        elif digest in self._known:
            self._written[digest] = self._known[digest]
        else:
            file = self._write(data, digest, ".arrow")
            self._written[digest] = Chunk(file, 0, data.size, digest)
        return digest

    def _finish_small(self) -> None:
        """Write all that is small in one file: all of it or, where nothing changed, nothing."""
        if self._small.keys() <= self._known.keys():
            self._written |= {digest: self._known[digest] for digest in self._small}
            return
        packed = b"".join(map(memoryview, self._small.values()))
        file = self._write(packed, digest_of(packed), _PACK)
        offset = 0
        for digest, data in self._small.items():
            self._written[digest] = Chunk(file, offset, data.size, digest)
            offset += data.size

    def _write(self, data: pa.Buffer | bytes, digest: str, ending: str) -> str:
        """Write a file under the name of its content: a process that was given up and still writes does no harm."""
        file = f"{self._folder}/{digest[:_NAME_DIGITS]}{ending}"
        self._place.write(file, data)
        return file


class _PartReader:
    """Tables of one part, of which many may lie in one file."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._packs: dict[str, pa.Buffer] = {}

    def read(self, table: StoredTable) -> pa.Table:
        pieces = [self._piece(chunk) for chunk in table.chunks]
        return pa.concat_tables(pieces).combine_chunks()

    def _piece(self, chunk: Chunk) -> pa.Table:
        data = _bytes_of(chunk, self._file(chunk.file), self._place)
        try:
            return pa.ipc.open_file(data).read_all()
        except pa.ArrowInvalid as error:
            raise DamagedStateError(self._place.name(chunk.file), str(error)) from error

    def _file(self, path: str) -> pa.Buffer:
        if not path.endswith(_PACK):
            return self._place.read(path)
        if path not in self._packs:
            self._packs[path] = self._place.read(path)
        return self._packs[path]


def _encode(table: pa.Table) -> pa.Buffer:
    # Chunks of one column may have dictionaries of their own, which an Arrow file cannot hold.
    table = table.unify_dictionaries().combine_chunks()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _bytes_of(chunk: Chunk, data: pa.Buffer, place: Place) -> pa.Buffer:
    is_there = chunk.offset + chunk.length <= data.size
    found = data.slice(chunk.offset, chunk.length) if is_there else data.slice(0, 0)
    if digest_of(found) != chunk.digest:
        raise DamagedStateError(place.name(chunk.file), "its bytes are not those that were written")
    return found
