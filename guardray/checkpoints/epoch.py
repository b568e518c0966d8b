"""What an epoch consists of, as the log keeps it: enough to process it again and come to the same state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from guardray.connectors.source import Receipt
from guardray.sources.objects import InputObject


@dataclass(frozen=True, kw_only=True)
class EpochInput:
    """An object that an epoch reads.

    Attributes:
        source: name of the source that told of it.
        receipt: to acknowledge it by, at that source.
        object: what to read.
        etag: of what was read, where the store tells one: another content under the name is told by it.
    """

    source: str
    receipt: Receipt
    object: InputObject
    etag: str | None = None


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """Some inputs, and where the service stood.

    Attributes:
        number: counted from 1 without a gap.
        inputs: in the order in which they are read.
        watermark_before: microseconds since 1970, when its first input was read.
        watermark_after: microseconds since 1970, that it is closed with.
        indicators: digest of the threat lists that were looked at.
    """

    number: int
    inputs: tuple[EpochInput, ...]
    watermark_before: int
    watermark_after: int
    indicators: str

    def content(self) -> dict[str, Any]:
        """The epoch as plain JSON, for `EpochLog.commit`."""
        content: dict[str, Any] = msgspec.to_builtins(self)
        return content

    @classmethod
    def of(cls, content: dict[str, Any]) -> Epoch:
        """What `content` gave. Raises msgspec.ValidationError for anything else."""
        return msgspec.convert(content, cls)
