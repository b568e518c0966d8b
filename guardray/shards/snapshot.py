"""State on disk or in an object store: a folder of Arrow IPC files and a manifest that is written last.

A snapshot without its manifest was never finished and does not count. Snapshots are written once and never changed.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pyarrow as pa
from pyarrow.fs import FileSelector, FileSystem, LocalFileSystem

from guardray.errors import SnapshotError

VERSION = 1
"""Of the files' layout and of the state inside: hashes, summaries and their columns."""

_VERSION_KEY, _NAME_KEY = b"guardray.snapshot_version", b"guardray.table"
_MANIFEST = "manifest.json"


class _File(msgspec.Struct):
    """One table: its name, its file in the folder, and the CRC-32 of that file's bytes."""

    table: str
    file: str
    crc32: int


class _Manifest(msgspec.Struct):
    version: int
    files: list[_File]


def write_snapshot(url: str, tables: Mapping[str, pa.Table]) -> None:
    """Write tables by name.

    Args:
        url: a folder that does not exist yet or is empty: a local path, or a URL that `pyarrow.fs` knows.

    Raises:
        SnapshotError: there is something already, or it cannot be written.
    """
    try:
        filesystem, folder = _resolve(url)
        if filesystem.get_file_info(FileSelector(folder, allow_not_found=True)):
            raise SnapshotError(url, "there is a snapshot already")
        filesystem.create_dir(folder)
        files = [
            _write_table(filesystem, folder, f"table-{number:04d}.arrow", name, table)
            for number, (name, table) in enumerate(tables.items())
        ]
        _write(filesystem, f"{folder}/{_MANIFEST}", msgspec.json.encode(_Manifest(VERSION, files)))
    except OSError as error:
        raise SnapshotError(url, str(error)) from error


def read_snapshot(url: str) -> dict[str, pa.Table]:
    """The tables that `write_snapshot` wrote, by name.

    Raises:
        SnapshotError: it is missing, not finished, damaged or of another version.
    """
    try:
        filesystem, folder = _resolve(url)
        manifest = msgspec.json.decode(_read(filesystem, f"{folder}/{_MANIFEST}"), type=_Manifest)
        if manifest.version != VERSION:
            raise SnapshotError(url, f"it is of version {manifest.version}, this program reads {VERSION}")
        return {file.table: _read_table(filesystem, f"{folder}/{file.file}", file) for file in manifest.files}
    except FileNotFoundError as error:
        raise SnapshotError(url, f"nothing complete is kept there: {_MANIFEST} or a table is missing") from error
    except (OSError, msgspec.DecodeError) as error:
        raise SnapshotError(url, str(error)) from error


def _resolve(url: str) -> tuple[FileSystem, str]:
    try:
        filesystem, path = FileSystem.from_uri(url if "://" in url else str(Path(url).absolute()))
    except ValueError as error:
        raise SnapshotError(url, str(error)) from error
    return filesystem, path.rstrip("/")


def _write_table(filesystem: FileSystem, folder: str, file: str, name: str, table: pa.Table) -> _File:
    marks = {_VERSION_KEY: str(VERSION), _NAME_KEY: name}
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), **marks})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(table)
    data = sink.getvalue()
    _write(filesystem, f"{folder}/{file}", data)
    return _File(name, file, zlib.crc32(data))


def _read_table(filesystem: FileSystem, path: str, file: _File) -> pa.Table:
    data = _read(filesystem, path)
    if zlib.crc32(data) != file.crc32:
        raise SnapshotError(path, "it is damaged: its bytes are not those that were written")
    try:
        table = pa.ipc.open_file(data).read_all()
    except pa.ArrowInvalid as error:
        raise SnapshotError(path, str(error)) from error
    marks = dict(table.schema.metadata or {})
    if marks.pop(_VERSION_KEY, None) != str(VERSION).encode() or marks.pop(_NAME_KEY, None) != file.table.encode():
        raise SnapshotError(path, f"it does not hold {file.table!r} of version {VERSION}")
    return table.replace_schema_metadata(marks or None)


def _write(filesystem: FileSystem, path: str, data: bytes | pa.Buffer) -> None:
    """Write a file so that it is there whole or not at all; object stores do so by themselves."""
    if not isinstance(filesystem, LocalFileSystem):
        with filesystem.open_output_stream(path) as stream:
            stream.write(data)
        return
    partial = f"{path}.partial"
    with filesystem.open_output_stream(partial) as stream:
        stream.write(data)
    filesystem.move(partial, path)


def _read(filesystem: FileSystem, path: str) -> pa.Buffer:
    with filesystem.open_input_file(path) as stream:
        return stream.read_buffer()
