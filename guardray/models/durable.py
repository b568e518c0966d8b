"""Files that are there whole or not at all, after a power cut too."""

from __future__ import annotations

import os
from pathlib import Path

_UNFINISHED = ".partial"


def write_durably(path: Path, data: bytes) -> None:
    """Write a file in place of what was there, and the folders above it where they are missing.

    Raises:
        OSError: the disk refuses.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + _UNFINISHED)
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
    opened = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(opened)  # that it has a name there is another matter than what is in it
    finally:
        os.close(opened)
