"""What is dear to make is made once in a run, by whichever of its processes comes first."""

from __future__ import annotations

import fcntl
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class Once:
    """Folders and values that all processes of a run share; nobody changes a folder that was made.

    Args:
        place: a folder that the run's processes have in common.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        place.mkdir(exist_ok=True)

    def folder(self, name: str, write: Callable[[Path], object]) -> Path:
        """The folder of this name, which `write` makes where no process has done so; others wait meanwhile."""
        made = self._place / name
        with (self._place / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                # A process that is killed while it writes leaves what nobody takes for whole.
                unfinished = self._place / f"{name}.unfinished"
                shutil.rmtree(unfinished, ignore_errors=True)
                write(unfinished)
                unfinished.rename(made)
        return made

    def value(self, name: str, make: Callable[[], T]) -> T:
        """The value of this name, which `make` comes to where no process has done so."""

        def write(folder: Path) -> None:
            folder.mkdir()
            (folder / "value").write_bytes(pickle.dumps(make()))

        value: T = pickle.loads((self.folder(name, write) / "value").read_bytes())
        return value
