"""Frames of many objects gathered into batches, and each object called done only after its last row has gone out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from guardray.schema import EventSchema
from guardray.sources.objects import InputObject


@dataclass(frozen=True)
class Batch:
    """Rows of one schema, in `schema.polars`' columns, in the order in which they were read."""

    schema: EventSchema
    frame: pl.DataFrame


@dataclass(frozen=True)
class Done:
    """All rows of this object have gone out in batches before this."""

    object: InputObject


class Gatherer:
    """Gathers the rows of one schema.

    Args:
        schema: of all frames.
        batch_rows: from so many rows on, they are ready to go out.
    """

    def __init__(self, schema: EventSchema, batch_rows: int) -> None:
        self._schema = schema
        self._batch_rows = batch_rows
        self._frames: list[pl.DataFrame] = []
        self._rows = 0
        self._objects: list[InputObject] = []

    @property
    def is_ready(self) -> bool:
        return self._rows >= self._batch_rows

    def add(self, frame: pl.DataFrame) -> None:
        """Rows of an object that may have more."""
        if frame.height:
            self._frames.append(frame)
            self._rows += frame.height

    def finish(self, obj: InputObject) -> None:
        """All rows of this object have been added."""
        self._objects.append(obj)

    def flush(self) -> Iterator[Batch | Done]:
        """Everything so far: one batch, if there are rows, and the objects that it completes."""
        if self._frames:
            yield Batch(self._schema, pl.concat(self._frames))
        objects = self._objects
        self._frames, self._rows, self._objects = [], 0, []
        for obj in objects:
            yield Done(obj)
