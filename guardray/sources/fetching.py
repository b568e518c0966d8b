"""Opening an input object: a local file, standard input or S3, always as seekable bytes."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import IO, cast

from guardray.errors import SourceError
from guardray.sources.objects import S3_SCHEME, STANDARD_INPUT, InputObject
from guardray.sources.sniff import HEAD_BYTES, is_flow_header

WRITTEN_TO = "it was written to while it was read"
"""Why a local file has to be read again."""

_WHOLE_BYTES = 4 << 20
"""Files up to this size are read at once: most of a trail's are a few kilobytes."""

_MEMORY_BYTES = 64 << 20
"""What is read from a pipe beyond this goes to a temporary file, so that it can be read twice."""

_FETCHERS = 16
"""Objects fetched at once: S3 takes some 30 ms to answer, however small the object is."""

Opened = tuple[InputObject, Callable[[], IO[bytes]]]


def open_object(obj: InputObject, s3_endpoint: str | None = None) -> IO[bytes]:
    """The object's bytes.

    Raises:
        SourceError: it is not there or may not be read.
    """
    if obj.refused is not None:
        raise SourceError(obj.url, obj.refused)
    if obj.url == STANDARD_INPUT:
        return _spooled(sys.stdin.buffer)
    if obj.url.startswith(S3_SCHEME):
        from guardray.sources.s3 import Bucket, split_url  # boto3 takes longer to import than a small local scan to run

        bucket, key = split_url(obj.url)
        return Bucket(bucket, s3_endpoint).fetch(key, obj.version_id)
    return _local(obj) if obj.end is None else _part(obj, obj.end)


def open_in_order(objects: Iterable[InputObject], s3_endpoint: str | None = None) -> Iterator[Opened]:
    """Each object with what gives its bytes, as `open_object` does; those in S3 are fetched ahead of their turn."""
    waiting: deque[tuple[InputObject, Future[IO[bytes]]]] = deque()
    with ThreadPoolExecutor(_FETCHERS) as pool:
        try:
            for obj in objects:
                if obj.url.startswith(S3_SCHEME):
                    waiting.append((obj, pool.submit(open_object, obj, s3_endpoint)))
                    yield from _fetched(waiting, leave=_FETCHERS)
                else:
                    yield from _fetched(waiting)
                    yield obj, partial(open_object, obj, s3_endpoint)
            yield from _fetched(waiting)
        finally:
            for _, future in waiting:
                if not future.cancel() and future.exception() is None:
                    future.result().close()


def _fetched(waiting: deque[tuple[InputObject, Future[IO[bytes]]]], leave: int = 0) -> Iterator[Opened]:
    while len(waiting) > leave:
        obj, future = waiting.popleft()
        yield obj, future.result


def _local(obj: InputObject) -> IO[bytes]:
    try:
        file = Path(obj.url).open("rb")  # noqa: SIM115 - the caller closes it
        if not file.seekable():
            with file:
                return _spooled(file)
        if os.fstat(file.fileno()).st_size <= _WHOLE_BYTES:
            with file:
                return io.BytesIO(file.read())
    except OSError as error:
        raise SourceError(obj.url, error.strerror or str(error)) from error
    return file


def _part(obj: InputObject, end: int) -> IO[bytes]:
    """What was appended to a file, below the header that the file began with."""
    try:
        with Path(obj.url).open("rb") as file:
            header = file.readline(HEAD_BYTES) if obj.start else b""
            file.seek(obj.start)
            part = file.read(end - obj.start)
    except OSError as error:
        raise SourceError(obj.url, error.strerror or str(error)) from error
    return io.BytesIO(header + part if is_flow_header(header) else part)


def _spooled(stream: IO[bytes]) -> IO[bytes]:
    """The rest of a stream that can only be read once, to be read as often as needed."""
    file = tempfile.SpooledTemporaryFile(_MEMORY_BYTES)  # noqa: SIM115 - the caller closes it
    shutil.copyfileobj(stream, file)
    file.seek(0)
    return file


def content_digest(file: IO[bytes]) -> int:
    """64-bit BLAKE2b digest of a file's raw bytes; leaves the file at its start."""
    file.seek(0)
    digest = hashlib.file_digest(cast(io.BufferedReader, file), lambda: hashlib.blake2b(digest_size=8))
    file.seek(0)
    return int.from_bytes(digest.digest(), "little")
