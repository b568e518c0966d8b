"""S3, or a store that speaks its protocol: listing with as few requests as the filters allow, and fetching."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import IO, Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from guardray.errors import SourceError, UsageError
from guardray.sources.aws_keys import KeyFilter, key_facts

MEMORY_BYTES = 8 << 20
"""Objects up to this size are held in memory, larger ones in a temporary file: many are fetched at once."""

_CONNECTIONS = 16

_ATTEMPTS = 5
"""Of reading an object's bytes, as many as botocore makes of each request."""

_FORBIDDEN = 403

_REASONS = {
    "NoSuchBucket": "no such bucket",
    "NoSuchKey": "no such object",
    "NoSuchVersion": "no such object",
    "AccessDenied": "access denied",
    "403": "access denied",
    "404": "no such object",
}


@dataclass(frozen=True)
class StoredObject:
    """One line of a listing."""

    key: str
    size: int
    etag: str
    modified: datetime


@dataclass(frozen=True)
class Page:
    """What one request for a listing gave.

    Args:
        objects: in the order of their keys.
        folders: prefixes that end in a slash, where the listing was asked not to go below.
        token: to ask for the next page with; None after the last one.
    """

    objects: list[StoredObject]
    folders: list[str]
    token: str | None


def split_url(url: str) -> tuple[str, str]:
    """Bucket and key, or prefix, of `s3://bucket/key`."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    if not bucket:
        raise UsageError(f"{url}: no bucket in the URL")
    return bucket, key


class Bucket:
    """A bucket to read from."""

    def __init__(self, name: str, endpoint: str | None = None) -> None:
        self._name = name
        self._client = _client(endpoint)

    def listing(self, prefix: str, key_filter: KeyFilter) -> Iterator[StoredObject]:
        """The objects below a prefix, without folders in which no wanted object can be.

        In AWS's layouts the folders are walked level by level until the day is known, so that a year's bucket costs as
        many requests as the days wanted. Other prefixes, and everything when nothing is filtered, are listed plainly.

        Raises:
            SourceError: the bucket does not exist or may not be listed.
        """
        with _as_source_error(f"s3://{self._name}/{prefix}"):
            yield from self._plain(prefix) if key_filter.is_open else self._walk(prefix, key_filter)

    def is_empty(self, prefix: str) -> bool:
        """Whether no object's key begins so. Raises as `listing`."""
        with _as_source_error(f"s3://{self._name}/{prefix}"):
            found = self._client.list_objects_v2(Bucket=self._name, Prefix=prefix, MaxKeys=1)
        return not found.get("Contents")

    def page(
        self,
        prefix: str,
        *,
        start_after: str | None = None,
        token: str | None = None,
        below: bool = True,
        most: int = 1_000,
    ) -> Page:
        """One request for a listing, of a thousand objects and folders at most.

        Args:
            start_after: greater keys only.
            token: of the page before.
            below: whether to list what is in folders; if not, the folders are named.

        Raises:
            SourceError: as `listing`.
        """
        options = {"StartAfter": start_after, "ContinuationToken": token, "Delimiter": None if below else "/"}
        given = {name: value for name, value in options.items() if value}
        with _as_source_error(f"s3://{self._name}/{prefix}"):
            found = self._client.list_objects_v2(Bucket=self._name, Prefix=prefix, MaxKeys=most, **given)
        folders = [common["Prefix"] for common in found.get("CommonPrefixes", ())]
        return Page(list(_stored(found)), folders, found.get("NextContinuationToken"))

    def _walk(self, prefix: str, key_filter: KeyFilter) -> Iterator[StoredObject]:
        facts = key_facts(prefix)
        if facts.is_day_known:
            yield from self._plain(prefix)
            return
        folders: list[str] = []
        for page in self._pages(prefix, Delimiter="/"):
            yield from _stored(page)
            folders += [common["Prefix"] for common in page.get("CommonPrefixes", ())]
        for folder in folders:
            below = key_facts(folder)
            if not below.may_match(key_filter):
                continue
            is_walkable = below.is_layout or folder.endswith("AWSLogs/")
            yield from self._walk(folder, key_filter) if is_walkable else self._plain(folder)

    def _plain(self, prefix: str) -> Iterator[StoredObject]:
        for page in self._pages(prefix):
            yield from _stored(page)

    def _pages(self, prefix: str, **options: str) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._name, Prefix=prefix, **options)
        yield from pages

    def fetch(self, key: str, version_id: str | None = None) -> IO[bytes]:
        """An object's bytes, seekable.

        Args:
            version_id: which version, so that what is overwritten or deleted after its arrival is read all the same.
                The latest is read where versions may not be, which is a permission of its own.

        Raises:
            SourceError: it does not exist, may not be read, or the connection failed for good.
        """
        file = tempfile.SpooledTemporaryFile(MEMORY_BYTES)  # noqa: SIM115 - the caller closes it
        try:
            with _as_source_error(f"s3://{self._name}/{key}"):
                self._download_version(key, version_id, file)
        except SourceError:
            file.close()
            raise
        file.seek(0)
        return file

    def _download_version(self, key: str, version_id: str | None, file: IO[bytes]) -> None:
        if version_id is not None:
            try:
                return self._download(file, Key=key, VersionId=version_id)
            except ClientError as error:
                if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") != _FORBIDDEN:
                    raise
        return self._download(file, Key=key)

    def _download(self, file: IO[bytes], **which: str) -> None:
        # boto3's own download asks for the size first: twice the requests for objects of a few kilobytes.
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                shutil.copyfileobj(self._client.get_object(Bucket=self._name, **which)["Body"], file)
            except (IncompleteReadError, ReadTimeoutError, ResponseStreamingError):
                if attempt == _ATTEMPTS:
                    raise
                file.seek(0)
                file.truncate()
            else:
                return


def _stored(page: dict[str, Any]) -> Iterator[StoredObject]:
    return (
        StoredObject(entry["Key"], entry["Size"], entry["ETag"], entry["LastModified"])
        for entry in page.get("Contents", ())
    )


@lru_cache(maxsize=4)
def _client(endpoint: str | None) -> Any:
    # S3-compatible stores are often reached by address, where the bucket cannot be part of the host name.
    addressing = {"addressing_style": "path"} if endpoint else {}
    config = Config(
        retries={"mode": "standard", "max_attempts": _ATTEMPTS},
        connect_timeout=10,
        read_timeout=60,
        max_pool_connections=_CONNECTIONS,
        s3=addressing,
    )
    try:
        return boto3.client("s3", endpoint_url=endpoint, config=config)
    except ValueError as error:
        raise UsageError(f"S3 endpoint {endpoint!r}: {error}") from error


@contextmanager
def _as_source_error(url: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        raise SourceError(url, _REASONS.get(code, str(error))) from error
    except BotoCoreError as error:
        raise SourceError(url, str(error)) from error
