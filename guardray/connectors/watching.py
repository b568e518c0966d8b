"""What has changed below a folder, as the system tells it."""

from __future__ import annotations

from pathlib import Path

from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

_AT_ONCE_MS = 1
"""Nothing is waited for: what has been gathered meanwhile is fetched."""


class Changes:
    """Paths below a folder that something has happened to.

    The system may forget some when very much happens, and tells nothing on many network file systems: this makes
    looking rarer, it does not replace it.

    Args:
        folder: with all folders below.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._notify: RustNotify | None = RustNotify([str(folder)], False, False, 0, True, True)
        except (OSError, WatchfilesRustInternalError):  # no such service here, or too many folders for it
            self._notify = None

    def drain(self) -> set[str] | None:
        """Paths since the last call, of folders too; None where one has to look for oneself."""
        if self._notify is None:
            return None
        try:
            changes = self._notify.watch(_AT_ONCE_MS, _AT_ONCE_MS, _AT_ONCE_MS, None)
        except (OSError, WatchfilesRustInternalError):
            self.close()
            return None
        return set() if isinstance(changes, str) else {path for _, path in changes}

    def close(self) -> None:
        """Stop being told."""
        if self._notify is not None:
            self._notify.close()
            self._notify = None
