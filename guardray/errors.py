"""Every exception that guardray raises, in one tree. Each keeps what went wrong as fields."""

from __future__ import annotations


class GuardrayError(Exception):
    """Base of all errors that guardray raises on purpose."""


class UsageError(GuardrayError):
    """The command or its configuration is wrong: the message names the option or the key. Exit status 2."""


class _PlacedError(GuardrayError):
    """An error at a place. Both stay the exception's arguments, so that it travels between processes as it is."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(place, reason)
        self.reason = reason

    def __str__(self) -> str:
        return ": ".join(self.args)


class SourceError(_PlacedError):
    """An input object cannot be read at all: missing, no permission, unknown format.

    The object is set aside and the others go on; look at the path and the reason.
    """

    @property
    def url(self) -> str:
        return str(self.args[0])


class DetectorError(_PlacedError):
    """A detector failed on a batch: its finding type and the reason are named, the other detectors go on."""

    @property
    def finding_type(self) -> str:
        return str(self.args[0])


class LeftOutError(DetectorError):
    """There was more than is kept, and what was left out is not looked at: the activity or finding type is named.

    Somebody may have made so much of it to hide something: look at whose events they are.
    """


class SnapshotError(_PlacedError):
    """A state snapshot is damaged or of another schema version: name and reason are given, nothing was restored."""

    @property
    def path(self) -> str:
        return str(self.args[0])


class StateError(_PlacedError):
    """The service's state cannot be written or restored: file or folder and reason are given.

    A checkpoint that cannot be written leaves the one before in force, and the service goes on: look at the room on the
    disk or the rights on the bucket. What cannot be restored is told when the service starts.
    """

    @property
    def path(self) -> str:
        return str(self.args[0])


class DamagedStateError(StateError):
    """A file of a checkpoint is missing or not what was written: the checkpoint before it is used."""


class RefusedStateError(StateError):
    """There is state, and this program cannot go on from it, now or later: the message says what a person can do."""


class ModelError(_PlacedError):
    """A model's file cannot be used: damaged, changed, of unknown types, or of other features. The file and why follow.

    The last good version stays in force: promote or train another one.
    """

    @property
    def path(self) -> str:
        return str(self.args[0])


class EngineError(GuardrayError):
    """The Ray cluster lost a worker or did not answer: nothing was written, so the scan can be run again.

    Look at the memory of the machine first; Ray's own reason follows.
    """

    def __init__(self, cause: Exception) -> None:
        reason = next((line for line in str(cause).splitlines() if line.strip()), type(cause).__name__)
        super().__init__(f"the scan was cut short by Ray ({type(cause).__name__}): {reason.strip()}")
        self.cause = cause


class CrewLostError(GuardrayError):
    """A worker or a shard of the service is gone, and what it held: the service goes on from its last checkpoint."""


class ServiceLostError(GuardrayError):
    """The coordinator of a service is gone, and Ray makes none in its place: start the service again.

    It goes on from its last checkpoint. Where it ends again, the reason says what to mend.
    """


class OutgrownError(GuardrayError):
    """A process has grown beyond `memory.other_mb`: it is made anew, the coordinator after it has written a checkpoint.

    Set the limit higher if that happens again and again.
    """


class StoppedError(GuardrayError):
    """The service was told to stop while it waited for something to work: it goes on from there when it is started."""

    def __init__(self) -> None:
        super().__init__("told to stop")


class FeedError(_PlacedError):
    """A threat feed cannot be fetched, or is no better than what is there: its URL or name and the reason are given.

    The last good copy stays in use; mend the feed's entry, or wait for its publisher to.
    """

    @property
    def url(self) -> str:
        return str(self.args[0])


class RefusedError(GuardrayError):
    """What was sent to be read is no log, damaged, or too large: see the message. Sending it again is no help."""


class SpoolFullError(GuardrayError):
    """There is no room for what was sent. The same may be sent again after `retry_after_s`, when there should be."""

    def __init__(self, reason: str, retry_after_s: int) -> None:
        super().__init__(reason, retry_after_s)
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return f"{self.args[0]}: try again in {self.retry_after_s} s"


class StoreError(GuardrayError):
    """The findings store refused: it cannot be opened, or is of a newer schema than this program."""


class FencedError(StoreError):
    """Another process has become the one writer since: nothing was written, and nothing may be any more."""


class OlderStoreError(StoreError):
    """The store is of an older program's schema, and looking at it is not to change it under that program."""


class EpochsGoneError(StoreError):
    """Epochs after a checkpoint are not in the log any more, so that nobody can go on from it."""


class QueryRefusedError(UsageError):
    """A question about findings, or a change of them, cannot be answered as asked.

    Attributes:
        parameter: the member of the request that is wrong, as GuardDuty's API names it.
        reason: what is wrong with it, going on from its name.
    """

    def __init__(self, parameter: str, reason: str) -> None:
        super().__init__(parameter, reason)
        self.parameter, self.reason = parameter, reason

    def __str__(self) -> str:
        return f"{self.parameter} {self.reason}"


class AccessRefusedError(GuardrayError):
    """A request may not go on: its credentials, its signature, its role or its rate. `code` and `status` are AWS's.

    Attributes:
        retry_after_s: when the same request may be sent again, where that is any help.
    """

    def __init__(self, code: str, status: int, message: str, retry_after_s: int | None = None) -> None:
        super().__init__(code, status, message, retry_after_s)
        self.code, self.status, self.message, self.retry_after_s = code, status, message, retry_after_s

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class BenchError(GuardrayError):
    """A measurement ended in an error, whose last line follows; `stderr` has all of it."""

    def __init__(self, kind: str, source: str, stderr: str) -> None:
        reason = stderr.strip().rpartition("\n")[2]
        super().__init__(f"{kind} {source} failed: {reason}")
        self.stderr = stderr
