"""What an epoch consists of, as the log keeps it: enough to process it again and come to the same state."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    """

    source: str
    receipt: Receipt
    object: InputObject


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """Some inputs, and where the service stood.

    Attributes:
        number: counted from 1 without a gap.
        inputs: in the order in which they are read.
        watermark_before: microseconds since 1970, that the one before was closed with.
        watermark_after: microseconds since 1970, that it is closed with.
        indicators: name of the lists that it was looked at with.
        models: the version of the model of each spec that rows were scored with, by the spec's name.
    """

    number: int
    inputs: tuple[EpochInput, ...]
    watermark_before: int
    watermark_after: int
    indicators: str
    models: dict[str, str] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """The epoch as plain JSON, for `EpochLog.commit`."""
        content: dict[str, Any] = msgspec.to_builtins(self)
        return content

    @classmethod
    def of(cls, content: dict[str, Any]) -> Epoch:
        """What `content` gave. Raises msgspec.ValidationError for anything else."""
        return msgspec.convert(content, cls)
