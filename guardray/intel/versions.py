"""Indicator stores that were built before, by the digest of what went into them, and which of them is in use."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from guardray.errors import UsageError
from guardray.intel.files import flush_folder, replace_file
from guardray.intel.store import IndicatorStore

FOLDER = "intel"
"""Where lists are kept within a data folder."""

KEPT = 2
"""Versions that stay beside the one in use: processes may be about to open them."""

_SPARED = "SPARED"
"""The file with the names of versions that stay because somebody may look at the same again with them."""

_CHECK_S = 1.0
_UNFINISHED = ".unfinished-"
_UNFINISHED_S = 3600
"""Nothing takes so long to write: whoever wrote it is gone."""


class Versions:
    """The folder `versions` and the file `CURRENT` of a library's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "versions"
        self.pointer = folder / "CURRENT"
        self._spared = folder / _SPARED

    def find(self, digest: str) -> IndicatorStore | None:
        """The store that was kept under a digest; None where there is none, or none that can be read."""
        folder = self._folder / digest
        try:
            store = IndicatorStore.open(folder)
        except UsageError:
            return None
        with suppress(OSError):  # only decides which versions are removed
            os.utime(folder)
        return store

    def keep(self, digest: str, store: IndicatorStore) -> None:
        """Write a store under a digest, all of it or nothing.

        Raises:
            OSError: it cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self._folder))
        try:
            partial.chmod(0o755)
            store.save(partial)
            for file in partial.iterdir():
                with file.open("rb") as stream:
                    os.fsync(stream.fileno())
            target = self._folder / digest
            if self.find(digest) is None:
                shutil.rmtree(target, ignore_errors=True)  # one that cannot be read
                with suppress(FileExistsError):  # another process was faster
                    partial.rename(target)
                flush_folder(self._folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        self._remove_old(digest)

    def activate(self, digest: str) -> None:
        """Make a kept store the one in use, for all processes at once."""
        replace_file(self.pointer, digest.encode())

    def active(self) -> str | None:
        """The digest of the store in use; None where none was ever activated."""
        try:
            return self.pointer.read_text().strip() or None
        except FileNotFoundError:
            return None

    def spare(self, digests: Iterable[str]) -> None:
        """Remove none of these from now on, and no longer spare others that were told of before.

        Raises:
            OSError: it cannot be written down.
        """
        text = "\n".join(sorted(digests))
        if text != "\n".join(sorted(self._told_to_spare())):
            replace_file(self._spared, text.encode())

    def _told_to_spare(self) -> set[str]:
        try:
            return set(self._spared.read_text().split())
        except FileNotFoundError:
            return set()

    def _remove_old(self, newest: str) -> None:
        spared = {newest, self.active(), *self._told_to_spare()}
        others = [one for one in self._folder.iterdir() if one.name not in spared]
        finished = [one for one in others if not one.name.startswith(_UNFINISHED)]
        by_use = sorted(finished, key=_used_at, reverse=True)
        left_behind = [one for one in set(others) - set(finished) if _used_at(one) < time.time() - _UNFINISHED_S]
        for folder in [*by_use[KEPT:], *left_behind]:
            shutil.rmtree(folder, ignore_errors=True)


class CurrentIndicators:
    """The indicators in use, for a process that goes on while lists change: it looks at most once a second.

    Travels between processes as the folder's name.
    """

    def __init__(self, data_folder: Path) -> None:
        """Of the library in a data folder. Nothing is read before it is asked for."""
        self._data_folder = data_folder
        self._versions = Versions(data_folder / FOLDER)
        self._store = IndicatorStore()
        self._name = ""
        self._earlier: tuple[str, IndicatorStore] | None = None
        self._seen: tuple[int, int] | None = None
        self._checked_at = float("-inf")

    def __reduce__(self) -> tuple[type[CurrentIndicators], tuple[Path]]:
        return CurrentIndicators, (self._data_folder,)

    def current(self) -> IndicatorStore:
        """The store in use; one without entries where no list was ever activated.

        A store that cannot be read does not replace the one before it.
        """
        now = time.monotonic()
        if now - self._checked_at >= _CHECK_S:
            self._checked_at = now
            self._look()
        return self._store

    def name(self) -> str:
        """The digest of the store in use; empty where no list was ever activated."""
        self.current()
        return self._name

    def find(self, name: str) -> IndicatorStore | None:
        """The store of a digest that was in use."""
        if name == self.name():
            return self._store
        if self._earlier is None or self._earlier[0] != name:
            found = IndicatorStore() if not name else self._versions.find(name)
            if found is None:
                return None
            self._earlier = name, found
        return self._earlier[1]

    def keep(self, names: Iterable[str]) -> None:
        """Remove none of these stores when lists change.

        Raises:
            OSError: that cannot be written down.
        """
        self._versions.spare(name for name in names if name)

    def _look(self) -> None:
        try:
            status = self._versions.pointer.stat()
        except FileNotFoundError:
            return
        seen = (status.st_mtime_ns, status.st_ino)
        if seen == self._seen:
            return
        digest = self._versions.active()
        store = self._versions.find(digest) if digest else None
        if store is not None and digest is not None:
            self._store, self._name, self._seen = store, digest, seen


def _used_at(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:  # another process removes it too
        return float("inf")
