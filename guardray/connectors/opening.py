"""From the URL of a place that objects keep arriving at to the source that reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from guardray.connectors.source import Clock, ContinuousSource, utc_now
from guardray.errors import UsageError

_Config = TypeVar("_Config")

_BUCKET = re.compile(r"[a-zA-Z0-9][\w.-]{1,61}[a-zA-Z0-9]")
_QUEUE_PATH = re.compile(r"/\d{12}/[\w-]{1,80}(\.fifo)?")
_QUEUE_HOST = re.compile(
    r"(?P<vpce>vpce-[\w-]+\.)?(?:sqs(?:-fips)?\.(?P<region>[a-z]{2,}(?:-[a-z]+)+-\d+)|(?P<old>[a-z0-9-]+)\.queue|queue)"
    r"\.(?:vpce\.)?(?:amazonaws\.com(?:\.cn)?|api\.aws)"
)
"""Of AWS's own queues, as SQS's endpoints have been named over the years."""

_FORMS = (
    "s3://bucket/prefix to list a bucket, sqs://sqs.REGION.amazonaws.com/ACCOUNT/NAME or the queue's own https URL, "
    "spool:FOLDER, or the path of a folder to watch"
)


def open_source(url: str, *, clock: Clock = utc_now, **options: Any) -> ContinuousSource:
    """The source at a URL.

    Args:
        url: `s3://bucket/prefix`, `sqs://host/account/name`, a queue's https URL, `spool:folder`, or a folder's path.
        clock: tells the time of day.
        options: settings of `ListingConfig`, `QueueConfig` or `FolderConfig`; a spool has none.

    Raises:
        UsageError: it is none of these, or has no such setting.
    """
    if url.startswith("spool:"):
        return _spool(url, clock, options)
    scheme, mark, _ = url.partition("://")
    opener = _OPENERS.get(scheme) if mark else _folder
    if opener is None:
        raise UsageError(f"{url}: no source begins with {scheme}://; there is {_FORMS}")
    return opener(url, clock, options)


def _listing(url: str, clock: Clock, options: Mapping[str, Any]) -> ContinuousSource:
    from guardray.connectors.listing import ListingConfig, ListingSource  # boto3 takes long to import

    bucket, _, prefix = url[len("s3://") :].partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise UsageError(f"{url}: {bucket!r} is no name of a bucket" if bucket else f"{url}: no bucket in the URL")
    return ListingSource(_configured(ListingConfig, url, options, bucket=bucket, prefix=prefix), clock)


def _queue(url: str, clock: Clock, options: Mapping[str, Any]) -> ContinuousSource:
    from guardray.connectors.sqs import QueueConfig, QueueSource  # boto3 takes long to import

    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.username is not None or parts.query or parts.fragment or not host:
        raise UsageError(f"{parts.scheme}://{host}: a queue's URL has a host and a path, and nothing else")
    if not _QUEUE_PATH.fullmatch(parts.path):
        raise UsageError(f"{url}: the path of a queue's URL is /ACCOUNT/NAME, with the account's twelve digits")
    scheme = "https" if parts.scheme == "sqs" else parts.scheme
    server = f"{scheme}://{parts.netloc}"
    found: dict[str, Any] = {}
    if (aws := _QUEUE_HOST.fullmatch(host)) is None or aws["vpce"]:
        found["endpoint"] = server
    if aws is not None:
        found["region"] = aws["region"] or aws["old"] or "us-east-1"
    return QueueSource(_configured(QueueConfig, url, {**found, **options}, url=f"{server}{parts.path}"), clock)


def _folder(url: str, clock: Clock, options: Mapping[str, Any]) -> ContinuousSource:
    from guardray.connectors.folder import FolderConfig, FolderSource  # not every service watches one

    path = Path(unquote(urlsplit(url).path) if url.startswith("file://") else url)
    if not path.is_dir():
        what = "is a file: guardray scan reads it" if path.exists() else "no such folder"
        raise UsageError(f"{url}: {what}; there is {_FORMS}")
    return FolderSource(_configured(FolderConfig, url, options, path=path), clock)


def _spool(url: str, clock: Clock, options: Mapping[str, Any]) -> ContinuousSource:
    from guardray.connectors.spooled import SpoolSource  # not every service has one

    if options:
        raise UsageError(f"{url}: a spool has no settings: {', '.join(options)}")
    path = url.removeprefix("spool:")
    if not path:
        raise UsageError(f"{url}: no folder is named")
    return SpoolSource(Path(path), clock)


_OPENERS: Mapping[str, Callable[[str, Clock, Mapping[str, Any]], ContinuousSource]] = {
    "s3": _listing,
    "sqs": _queue,
    "https": _queue,
    "http": _queue,
    "file": _folder,
}


def _configured(config: Callable[..., _Config], source: str, options: Mapping[str, Any], **fixed: Any) -> _Config:
    known = [field.name for field in fields(config) if field.name not in fixed]  # type: ignore[arg-type]
    unknown = sorted(options.keys() - set(known))
    if unknown:
        raise UsageError(f"{source}: no setting is called {', '.join(unknown)}; there are {', '.join(known)}")
    return config(**fixed, **options)
