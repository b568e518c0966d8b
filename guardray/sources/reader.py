"""Objects in, batches of the normalised schema out; whatever is no row is counted, and set aside where it is damage."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from errno import EBUSY
from itertools import chain
from typing import IO

from guardray.errors import SourceError
from guardray.sources.aws_keys import KeyFilter
from guardray.sources.batching import Batch, Done
from guardray.sources.cloudtrail import Framing
from guardray.sources.decoder import LineDecoder, Origin
from guardray.sources.documents import whole_documents
from guardray.sources.fetching import WRITTEN_TO, content_digest, open_in_order
from guardray.sources.intake import Intake, Output
from guardray.sources.limits import Counts, Limits
from guardray.sources.lines import GiantLine, Lines, whole_lines
from guardray.sources.objects import InputObject
from guardray.sources.sniff import HEAD_BYTES, PARQUET_MAGIC, Format, Unknown, sniff
from guardray.sources.text import ObjectText

__all__ = ["Batch", "Counts", "Done", "Limits", "Reader"]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Reader:
    """Reads objects into batches that span many small ones.

    Args:
        limits: bounds on objects and lines.
        key_filter: rows outside are passed over.
        s3_endpoint: URL of an S3-compatible store, AWS if not given.
        is_new: says of an object's 64-bit content digest whether this is its first time; if not given, all are read.

    Attributes:
        torn: URLs of objects that could not be read to their end after `is_new` had said that they are. Rows of them
            may have been given, and should they come again, they are known.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        key_filter: KeyFilter | None = None,
        s3_endpoint: str | None = None,
        is_new: Callable[[int], bool] | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._s3_endpoint = s3_endpoint
        self._is_new = is_new
        self._is_known = False
        self.torn: list[str] = []
        self._intake = Intake(self._limits, key_filter or KeyFilter())

    @property
    def counts(self) -> Counts:
        """What became of all records so far."""
        return self._intake.counts

    def read(self, objects: Iterable[InputObject]) -> Iterator[Output]:
        """Read objects one after another. What cannot be read is set aside, and the rest goes on.

        Each `Done` comes after the batches with the last of its object's rows.
        """
        for obj, opened in open_in_order(objects, self._s3_endpoint):
            self.counts.objects += 1
            self._is_known = False
            try:
                with opened() as file:
                    yield from self._read_object(obj, file)
            except SourceError as error:
                yield from self._intake.unreadable(error.url, error.reason)
            except OSError as error:  # the disk or the network file system failed while the object was read
                if self._is_known:
                    self.torn.append(obj.url)
                yield from self._intake.unreadable(obj.url, error.strerror or str(error))
            yield from self._intake.finish(obj)
        yield from self._intake.flush()

    def _read_object(self, obj: InputObject, file: IO[bytes]) -> Iterator[Output]:
        size = _size(file)
        if self._is_new is not None:
            if not self._is_new(content_digest(file)):
                self.counts.duplicate_objects += 1
                return
            self._is_known = True
        is_parquet = file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC
        file.seek(0)
        origin = self._origin(obj)
        yield from self._read_parquet(file, origin) if is_parquet else self._read_text(file, origin)
        if _size(file) != size:  # so what was read is not what it is known by
            raise OSError(EBUSY, WRITTEN_TO)

    def _origin(self, obj: InputObject) -> Origin:
        return Origin(
            url=obj.url,
            account_id=obj.account_id,
            region=obj.region,
            key_time=obj.key_time,
            written=obj.written,
            lateness=self._limits.lateness,
        )

    def _read_parquet(self, file: IO[bytes], origin: Origin) -> Iterator[Output]:
        # Its reader takes longer to import than a small scan of other files to run.
        from guardray.sources.security_lake import decode_parquet

        for schema, decoded in decode_parquet(file, origin):
            yield from self._intake.decoded(schema, decoded, origin.url)

    def _read_text(self, file: IO[bytes], origin: Origin) -> Iterator[Output]:
        text = ObjectText(file, self._limits)
        chunks = text.chunks()
        head = _up_to(HEAD_BYTES, chunks)
        start = len(_BYTE_ORDER_MARK) if head.startswith(_BYTE_ORDER_MARK) else 0
        format_ = sniff(head[start : start + HEAD_BYTES])
        if isinstance(format_, Unknown):
            yield from self._intake.unreadable(origin.url, format_.reason)
            return
        yield from self._read_format(format_, chain((head[start:],), chunks), start, origin)
        if text.damage is not None:
            yield from self._intake.unreadable(origin.url, text.damage.reason, text.damage.position)

    def _read_format(self, format_: Format, chunks: Iterable[bytes], start: int, origin: Origin) -> Iterator[Output]:
        if format_ is Format.CLOUDTRAIL_DOCUMENT:
            yield from self._read_document(chunks, start, origin)
        elif format_ is Format.PASSED_OVER:
            self._intake.passed_over()
        elif format_ is not Format.EMPTY:
            decode = self._line_decoder(format_, origin)
            for lines in whole_lines(chunks, self._limits.max_line_bytes, start):
                if isinstance(lines, GiantLine):
                    yield from self._intake.giant_line(origin.url, lines)
                else:
                    yield from decode(lines)

    def _read_document(self, chunks: Iterable[bytes], start: int, origin: Origin) -> Iterator[Output]:
        limit = self._limits.max_document_bytes
        for documents in whole_documents(chunks, limit, start):
            yield from self._intake.cloudtrail(documents.content, documents.offset, Framing.DOCUMENT, origin)
            if documents.is_cut:
                reason = f"JSON longer than {limit:,} bytes"
                yield from self._intake.unreadable(origin.url, reason, documents.offset + limit)

    def _line_decoder(self, format_: Format, origin: Origin) -> Callable[[Lines], Iterator[Output]]:
        """What to do with whole lines of a format."""
        if format_ is Format.CLOUDTRAIL_LINES:
            return lambda lines: self._intake.cloudtrail(lines.content, lines.offset, Framing.LINES, origin)
        decoder = _other_decoder(format_)
        return lambda lines: self._intake.decoded(
            decoder.schema, decoder.decode(lines.content, lines.offset, origin), origin.url
        )


def _size(file: IO[bytes]) -> int | None:
    """Of a file on a disk; None for what is in memory, which nobody writes to."""
    try:
        return os.fstat(file.fileno()).st_size
    except (OSError, AttributeError):
        return None


def _other_decoder(format_: Format) -> LineDecoder:
    if format_ is Format.FLOW_TEXT:
        from guardray.sources.vpc_flow import VpcFlowText

        return VpcFlowText()
    from guardray.sources.route53 import ResolverQueries

    return ResolverQueries()


def _up_to(size: int, chunks: Iterable[bytes]) -> bytes:
    """Chunks from the start until at least so many bytes are there, or all."""
    parts: list[bytes] = []
    length = 0
    for chunk in chunks:
        parts.append(chunk)
        length += len(chunk)
        if length >= size:
            break
    return b"".join(parts)
