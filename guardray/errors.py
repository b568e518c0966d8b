"""Every exception that guardray raises, in one tree. Each keeps what went wrong as fields."""

from __future__ import annotations


class GuardrayError(Exception):
    """Base of all errors that guardray raises on purpose."""


class UsageError(GuardrayError):
    """The command or its configuration is wrong: the message names the option or the key. Exit status 2."""


class SourceError(GuardrayError):
    """An input object cannot be read at all: missing, no permission, unknown format.

    The object is set aside and the others go on; look at the path and the reason.
    """

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url}: {reason}")
        self.url, self.reason = url, reason

    def __reduce__(self) -> tuple[type[SourceError], tuple[str, str]]:
        return type(self), (self.url, self.reason)


class DetectorError(GuardrayError):
    """A detector failed on a batch: its finding type and the reason are named, the other detectors go on."""

    def __init__(self, finding_type: str, reason: str) -> None:
        super().__init__(f"{finding_type}: {reason}")
        self.finding_type, self.reason = finding_type, reason

    def __reduce__(self) -> tuple[type[DetectorError], tuple[str, str]]:
        return type(self), (self.finding_type, self.reason)


class EngineError(GuardrayError):
    """The Ray cluster lost a worker or did not answer: nothing was written, so the scan can be run again.

    Look at the memory of the machine first; Ray's own reason follows.
    """

    def __init__(self, cause: Exception) -> None:
        reason = next((line for line in str(cause).splitlines() if line.strip()), type(cause).__name__)
        super().__init__(f"the scan was cut short by Ray ({type(cause).__name__}): {reason.strip()}")
        self.cause = cause


class SnapshotError(GuardrayError):
    """A state snapshot is damaged or of another schema version: name and reason are given, nothing was restored."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


class StoreError(GuardrayError):
    """The findings store refused: it cannot be opened, or is of a newer schema than this program."""
