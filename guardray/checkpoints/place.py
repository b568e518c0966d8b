"""Where checkpoints lie: a folder, or a prefix of a bucket, with files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow.fs import FileSelector, FileSystem, FileType, LocalFileSystem

from guardray.errors import DamagedStateError, StateError

_UNFINISHED = ".partial"


@dataclass(frozen=True)
class StoredFile:
    """A file below a place: its path from there, and its length in bytes."""

    path: str
    length: int


class Place:
    """A root folder and what lies below it. Every method raises StateError where the disk or the bucket refuses.

    Args:
        url: a local path, or a URL that `pyarrow.fs` knows: `file://`, or `s3://bucket/prefix`, to which
            `?endpoint_override=host:port&scheme=http` names another store than AWS's.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            filesystem, root = FileSystem.from_uri(url if "://" in url else str(Path(url).absolute()))
        except (ValueError, OSError) as error:
            raise StateError(url, str(error)) from error
        self._files: FileSystem = filesystem
        self._root = root.rstrip("/")
        self._is_local = isinstance(filesystem, LocalFileSystem)

    def name(self, path: str) -> str:
        """What messages call a file."""
        return f"{self.url.partition('?')[0].rstrip('/')}/{path}"

    def write(self, path: str, data: pa.Buffer | bytes) -> None:
        """Write a file so that it is there whole or not at all, after a power cut too."""
        with self._errors(path):
            if self._is_local:
                _write_durably(Path(self._root, path), data)
                return
            with self._files.open_output_stream(f"{self._root}/{path}") as stream:
                stream.write(data)

    def read(self, path: str) -> pa.Buffer:
        """All of a file.

        Raises:
            DamagedStateError: it is missing, or the disk cannot read it.
        """
        with self._errors(path), self._files.open_input_file(f"{self._root}/{path}") as stream:
            return stream.read_buffer()

    def files(self, folder: str = "") -> list[StoredFile]:
        """All files below a folder of it, also those that are not finished; none where there is no such folder."""
        selector = FileSelector(f"{self._root}/{folder}".rstrip("/"), allow_not_found=True, recursive=True)
        with self._errors(folder):
            found = self._files.get_file_info(selector)
        return [
            StoredFile(info.path.removeprefix(self._root).lstrip("/"), info.size)
            for info in found
            if info.type == FileType.File
        ]

    def delete(self, paths: Iterable[str]) -> None:
        """Delete files, and the local folders that are empty then. Those that are gone already are passed over."""
        for path in paths:
            try:
                with self._errors(path):
                    self._files.delete_file(f"{self._root}/{path}")
            except DamagedStateError:
                continue
            if self._is_local:
                self._delete_empty(Path(self._root, path).parent)

    def _delete_empty(self, folder: Path) -> None:
        while folder != Path(self._root):
            try:
                folder.rmdir()
            except OSError:  # it is not empty
                return
            folder = folder.parent

    @contextmanager
    def _errors(self, path: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise DamagedStateError(self.name(path), "it is missing") from error
        except OSError as error:
            if error.errno == errno.EIO:
                raise DamagedStateError(self.name(path), "the disk cannot read or write it") from error
            raise StateError(self.name(path), error.strerror or str(error)) from error


def _write_durably(path: Path, data: pa.Buffer | bytes) -> None:
    _make_durably(path.parent)
    partial = path.with_name(path.name + _UNFINISHED)
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
    _sync_names(path.parent)


def _make_durably(folder: Path) -> None:
    if not folder.exists():
        _make_durably(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_names(folder.parent)


def _sync_names(folder: Path) -> None:
    """What was written into a file is safe by its own sync; that it has a name there, by this one."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
