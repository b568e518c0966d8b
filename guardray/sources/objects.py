"""From the sources named on the command line to the objects to read, in the order of their dates."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from guardray.errors import SourceError, UsageError
from guardray.sources.aws_keys import KeyFacts, KeyFilter, key_facts

STANDARD_INPUT = "-"
S3_SCHEME = "s3://"

_FIRST_WRITTEN = datetime(2013, 1, 1, tzinfo=UTC)
"""Before the first of these logs. Earlier times are set by programs whose archives are to be equal each time."""

__all__ = ["InputObject", "KeyFilter", "locate", "time_written"]


@dataclass(frozen=True, kw_only=True)
class InputObject:
    """One object to read.

    Args:
        url: a path as it was given, `-` for standard input, or `s3://bucket/key`.
        size: in bytes, as it lies there; None when unknown.
        key_time: when it was delivered, from its name; None when the name does not tell.
        account_id: from its key.
        region: from its key.
        refused: why it is not to be opened; None for all that may be.
        version_id: which version of it, where a bucket keeps versions; the latest if not given.
        start: where in a local file to begin reading, in bytes; the header of a flow log before it is read too.
        end: where in a local file to end; at its end if not given.
        written: when it was last written, as the place tells where it lies, or a time after that; None when unknown.
    """

    url: str
    size: int | None = None
    key_time: datetime | None = None
    account_id: str | None = None
    region: str | None = None
    refused: str | None = None
    version_id: str | None = None
    start: int = 0
    end: int | None = None
    written: datetime | None = None


def locate(
    sources: Sequence[str], key_filter: KeyFilter, s3_endpoint: str | None = None, now: datetime | None = None
) -> list[InputObject]:
    """All objects of these sources whose keys do not rule out that they hold wanted events.

    Args:
        sources: files, folders (with all below), `s3://bucket/prefix`, or `-`. A file is taken whatever its name says.
        key_filter: rules out objects by AWS's key layouts; what it keeps may hold other events too.
        s3_endpoint: URL of an S3-compatible store, AWS if not given.
        now: when standard input and pipes count as written; unknown if not given.

    Returns:
        Each object once, those without a date first and the others by date.

    Raises:
        UsageError: a source does not exist.
        SourceError: a folder or a bucket cannot be listed.
    """
    found: dict[str, InputObject] = {}
    for source in sources:
        for obj in _objects(source, key_filter, s3_endpoint, now):
            found.setdefault(obj.url, obj)
    return sorted(found.values(), key=_reading_order)


def time_written(modified: float) -> datetime | None:
    """The time that a file system tells, in seconds since 1970, if a log may have been written then."""
    try:
        written = datetime.fromtimestamp(modified, UTC)
    except (OverflowError, ValueError, OSError):  # file systems keep years that calendars lack
        return None
    return written if written >= _FIRST_WRITTEN else None


def _reading_order(obj: InputObject) -> tuple[float, str]:
    return (obj.key_time.timestamp() if obj.key_time else float("-inf"), obj.url)


def _objects(
    source: str, key_filter: KeyFilter, s3_endpoint: str | None, now: datetime | None
) -> Iterator[InputObject]:
    if not source:
        raise UsageError("a source is empty: name a file, a folder, s3://bucket/prefix or -")
    if source == STANDARD_INPUT:
        yield InputObject(url=source, written=now)
    elif source.startswith(S3_SCHEME):
        yield from _s3_objects(source, key_filter, s3_endpoint)
    elif (path := Path(source)).is_dir():
        yield from _folder_objects(source, key_filter)
    elif path.exists():
        obj = _local_object(path, key_facts(path.absolute().as_posix()))
        yield obj if path.is_file() else replace(obj, written=now)
    else:
        raise UsageError(f"{source}: no such file or folder")


def _folder_objects(folder: str, key_filter: KeyFilter) -> Iterator[InputObject]:
    seen = {_identity(Path(folder))}
    for parent, folders, names in os.walk(folder, onerror=_refuse, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".") and _is_new(Path(parent, name), seen)]
        above = Path(parent).absolute().as_posix()
        for name in names:
            facts = key_facts(f"{above}/{name}")
            if facts.may_match(key_filter):
                yield _regular_or_refused(_local_object(Path(parent, name), facts))


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _is_new(folder: Path, seen: set[tuple[int, int]]) -> bool:
    """Whether a folder is met for the first time, so that links in a circle end."""
    identity = _identity(folder)
    is_new = identity not in seen
    seen.add(identity)
    return is_new


def _regular_or_refused(obj: InputObject) -> InputObject:
    """A pipe or a device below a folder would be waited for for ever: one that is meant is named on its own."""
    path = Path(obj.url)
    return obj if path.is_file() or not path.exists() else replace(obj, refused="is not a regular file")


def _refuse(error: OSError) -> None:
    raise SourceError(str(error.filename), error.strerror or str(error))


def _local_object(path: Path, facts: KeyFacts) -> InputObject:
    try:
        status = path.stat()
    except OSError:  # a dangling link: reading it says what is wrong
        return _described(str(path), None, facts, None)
    return _described(str(path), status.st_size, facts, time_written(status.st_mtime))


def _s3_objects(url: str, key_filter: KeyFilter, endpoint: str | None) -> Iterator[InputObject]:
    from guardray.sources.s3 import Bucket, split_url  # boto3 takes longer to import than a small local scan to run

    name, prefix = split_url(url)
    bucket = Bucket(name, endpoint)
    if bucket.is_empty(prefix):
        raise UsageError(f"{url}: no such object, and none below it")
    for stored in bucket.listing(prefix, key_filter):
        facts = key_facts(stored.key)
        if stored.key == prefix or facts.may_match(key_filter):
            yield _described(f"{S3_SCHEME}{name}/{stored.key}", stored.size, facts, stored.modified)


def _described(url: str, size: int | None, facts: KeyFacts, written: datetime | None) -> InputObject:
    return InputObject(
        url=url,
        size=size,
        key_time=facts.time,
        account_id=facts.account_id,
        region=facts.region,
        written=written,
    )
