"""Where lists may lie: in S3, in whatever form clients name it, and in one folder of this machine if that is allowed.

Nothing else is asked for, so that nobody makes this server call others.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from guardray.api.errors import bad_request
from guardray.errors import UsageError
from guardray.intel.buckets import fetch_object
from guardray.intel.fetched import Limits
from guardray.intel.library import read_local
from guardray.intel.registry import MAX_BYTES
from guardray.types import AccountId

_BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_REGION = r"[a-z]{2}(?:-[a-z]+)+-\d{1,2}"
_IN_PATH = re.compile(rf"s3(?:[.-]{_REGION})?\.amazonaws\.com(?:\.cn)?")
_IN_HOST = re.compile(rf"({_BUCKET})\.s3(?:[.-]{_REGION})?\.amazonaws\.com(?:\.cn)?")


def location_of(text: str, folder: Path | None) -> str:
    """The location as `s3://bucket/key`, or the path of a file in the folder.

    Args:
        folder: where files may lie; null where none may.

    Raises:
        ApiError: it is neither.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise bad_request("the parameter location is no URL") from None
    key = unquote(parts.path).removeprefix("/")
    if parts.scheme == "file":
        return _file(host, unquote(parts.path), folder)
    if parts.query or parts.fragment or parts.username or port:
        raise bad_request("the parameter location has more than the URL of an object in S3 has")
    if parts.scheme == "s3":
        return _object(parts.netloc, parts.path.removeprefix("/"))
    if parts.scheme in ("http", "https"):
        if _IN_PATH.fullmatch(host):
            return _object(*key.split("/", 1)) if "/" in key else _object(key, "")
        if named := _IN_HOST.fullmatch(host):
            return _object(named[1], key)
    raise bad_request("the parameter location is no object in S3, such as s3://bucket/key")


def read_location(place: str, owner: AccountId | None) -> bytes:
    """The content of what `location_of` gave.

    Args:
        owner: the account that the bucket must be of.

    Raises:
        UsageError: with the reason, where it cannot be read or is too large.
    """
    if not place.startswith("s3://"):
        return read_local(Path(place), MAX_BYTES)
    try:
        fetched = fetch_object(place, None, Limits(max_bytes=MAX_BYTES), owner)
    except (ValueError, OSError) as error:
        raise UsageError(f"{place}: {error}") from error
    if fetched is None:
        raise UsageError(f"{place}: S3 sent nothing")
    return fetched.content


def _object(bucket: str, key: str) -> str:
    if not re.fullmatch(_BUCKET, bucket) or not key or {"?", "#"} & set(key):
        raise bad_request("the parameter location lacks a bucket or a key, or has a key that cannot be read")
    return f"s3://{bucket}/{key}"


def _file(host: str, path: str, folder: Path | None) -> str:
    if folder is None:
        raise bad_request("the parameter location is a file, which this server does not read")
    found = Path(path).resolve()
    if host or "\0" in path or not found.is_relative_to(folder.resolve()):
        raise bad_request("the parameter location is not in the folder that this server reads lists from")
    return str(found)
