"""A checkpoint for people and other programs: each table as a Parquet file."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import msgspec
import pyarrow.parquet as pq

from guardray.checkpoints.manifest import MANIFEST, Manifest
from guardray.checkpoints.parts import read_part
from guardray.errors import UsageError

_KEPT_IN_NAMES = " :!."
"""Characters of table names that names of files keep. A `/` becomes `%2F`: a table's name is a label, never a path."""


def export(url: str, manifest: Manifest, folder: Path) -> list[Path]:
    """Write the tables of a checkpoint, `PART/TABLE.parquet` each, and its manifest.

    Args:
        url: the root of all checkpoints.
        folder: one that is not there yet, or empty.

    Returns:
        The files of tables. A table that has no columns, as of changes that never came, has none.

    Raises:
        UsageError: the folder holds something, or cannot be written.
        StateError: the checkpoint is damaged, or cannot be read for the moment.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageError(f"{folder}: the folder is not empty")
        written = [file for part in manifest.parts for file in _export_part(url, manifest, part.name, folder)]
        (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror or error}") from error
    return written


def _export_part(url: str, manifest: Manifest, part: str, folder: Path) -> list[Path]:
    of_part = folder / quote(part, safe=_KEPT_IN_NAMES)
    of_part.mkdir()
    written = []
    for name, table in read_part(url, manifest, part).items():
        if table.num_columns:
            written.append(of_part / f"{quote(name, safe=_KEPT_IN_NAMES)}.parquet")
            pq.write_table(table, written[-1], compression="zstd")
    return written
