"""Parquet files: fields found by path however they are nested, checked for their type, and read a piece at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from guardray.errors import SourceError
from guardray.schema import EventSchema
from guardray.schema.columns import UTC_US
from guardray.sources.decoder import FIRST_TIME, LAST_TIME, BadRow, Decoded, Origin
from guardray.sources.normalised import conformed

ROW = "row number"
"""Column of every piece: the number of the row in its file, from 0 on."""

UNMAPPED = "unmapped"
"""Where OCSF puts what it has no attribute for: a map of text to text."""

_ROWS_AT_ONCE = 131_072

Source = Path | str | IO[bytes]


def open_parquet(source: Source, url: str, encoded: Sequence[str] = ()) -> pq.ParquetFile:
    """Open a file and read its footer. Raises SourceError if it is damaged.

    Args:
        encoded: columns of text that come as dictionaries, so that each distinct value is looked at once.
    """
    try:
        return pq.ParquetFile(source, read_dictionary=list(encoded), page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(url, f"damaged Parquet: {error}") from error


class Fields:
    """Expressions over the fields of one file, by paths such as `actor.user.name`.

    Methods take several paths where versions of a format differ: the first that has a value in a row counts. Paths
    that the file does not have are null. All raise SourceError for a field that is there but of another type.
    """

    def __init__(self, schema: pa.Schema, url: str) -> None:
        self._schema = schema
        self._url = url
        self._needed: dict[str, None] = {}
        self._keys: dict[str, None] = {}

    def __contains__(self, path: str) -> bool:
        return self._type(path) is not None

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        names: list[str] = self._schema.names
        return names

    def text(self, *paths: str, unmapped: str | None = None) -> pl.Expr:
        """String. `unmapped` is a key to look up in `UNMAPPED` where the paths have nothing."""
        found = [self._field(path).cast(pl.String) for path in paths if self._has(path, "text", _is_text)]
        if unmapped is not None and self._has(UNMAPPED, "a map of text", _is_text_map):
            self._needed[UNMAPPED] = self._keys[unmapped] = None
            found.append(pl.col(_lookup(unmapped)))
        return _first(found, pl.String())

    def whole(self, *paths: str) -> pl.Expr:
        """Int64."""
        found = [
            self._field(path).cast(pl.Int64) for path in paths if self._has(path, "a whole number", pa.types.is_integer)
        ]
        return _first(found, pl.Int64())

    def flag(self, *paths: str) -> pl.Expr:
        """Boolean."""
        found = [self._field(path) for path in paths if self._has(path, "true or false", pa.types.is_boolean)]
        return _first(found, pl.Boolean())

    def time(self, *paths: str, unit_us: int) -> pl.Expr:
        """Time in UTC, from timestamps or from numbers in units of so many microseconds; null where it is damage."""
        found = [self._time(path, unit_us) for path in paths if self._has(path, "a time", _is_time)]
        return _first(found, UTC_US)

    def is_given(self, path: str) -> pl.Expr:
        """Boolean: the file has the field, and a row has a value there, sound or not."""
        return self._field(path).is_not_null() if path in self else pl.lit(value=False)

    def texts(self, path: str, field: str | None = None) -> pl.Expr:
        """List of String: a list of text, or one text field of a list of structs."""
        if field is None:
            return self._field(path) if self._has(path, "a list of text", _is_text_list) else _NO_TEXTS
        if not self._has(f"{path}.{field}", "text", _is_text):
            return _NO_TEXTS
        return self._field(path).list.eval(pl.element().struct.field(field))

    def pieces(self, parquet: pq.ParquetFile) -> Iterator[pl.DataFrame]:
        """The rows of the file with the fields that were asked for, some ten thousands at a time."""
        for first, batch in self.batches(parquet):
            yield self.piece(first, batch)

    def batches(self, parquet: pq.ParquetFile) -> Iterator[tuple[int, pa.RecordBatch]]:
        """The same as Arrow has it, each batch with the number of its first row."""
        first = 0
        try:
            for batch in parquet.iter_batches(_ROWS_AT_ONCE, columns=list(self._needed), use_threads=False):
                yield first, batch
                first += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise SourceError(self._url, f"damaged Parquet after row {first}: {error}") from error

    def piece(self, first: int, batch: pa.RecordBatch) -> pl.DataFrame:
        """A batch as expressions want it."""
        if self._keys:
            unmapped = batch.column(UNMAPPED)
            batch = batch.drop_columns([UNMAPPED])
            for key in self._keys:
                batch = batch.append_column(_lookup(key), pc.map_lookup(unmapped, pa.scalar(key), "first"))
        table = pa.Table.from_batches([batch])
        frame = pl.DataFrame(table) if table.num_columns else pl.DataFrame(height=table.num_rows)
        return frame.with_row_index(ROW, first)

    def _has(self, path: str, expected: str, is_expected: Callable[[pa.DataType], bool]) -> bool:
        type_ = self._type(path)
        if type_ is None or pa.types.is_null(type_):
            return False
        if not is_expected(type_):
            raise SourceError(self._url, f"Parquet column {path} is {type_}, not {expected}")
        return True

    def _type(self, path: str) -> pa.DataType | None:
        """Type of a field, looking into structs and lists of them; null if the file does not have it."""
        found: pa.DataType = pa.struct(list(self._schema))
        above = ""
        for name in path.split("."):
            if _is_list(found):
                found = found.value_type
            if not pa.types.is_struct(found):
                raise SourceError(self._url, f"Parquet column {above} is {found}, not a struct")
            if found.get_field_index(name) < 0:
                return None
            found = found.field(name).type
            above = f"{above}.{name}" if above else name
        return found

    def _field(self, path: str) -> pl.Expr:
        self._needed[path] = None
        top, *inner = path.split(".")
        field = pl.col(top)
        for name in inner:
            field = field.struct.field(name)
        return field

    def _time(self, path: str, unit_us: int) -> pl.Expr:
        field, type_ = self._field(path), self._type(path)
        if type_ is not None and pa.types.is_timestamp(type_):
            time = field.cast(pl.Datetime("us", type_.tz))
            time = time.dt.replace_time_zone("UTC") if type_.tz is None else time.dt.convert_time_zone("UTC")
            return pl.when(time.is_between(FIRST_TIME, LAST_TIME, closed="left")).then(time)
        last = int(LAST_TIME.timestamp() * 1_000_000) // unit_us
        us = pl.when(field.is_between(0, last, closed="left")).then(field.cast(pl.Int64) * unit_us)
        return us.cast(UTC_US)


_NO_TEXTS = pl.lit(None, pl.List(pl.String))


def _first(found: list[pl.Expr], dtype: pl.DataType) -> pl.Expr:
    return pl.coalesce(found) if found else pl.lit(None, dtype)


def _lookup(key: str) -> str:
    return f"{UNMAPPED}[{key}]"


def _is_text(type_: pa.DataType) -> bool:
    type_ = type_.value_type if pa.types.is_dictionary(type_) else type_
    return any(is_text(type_) for is_text in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view))


def _is_list(type_: pa.DataType) -> bool:
    return any(is_list(type_) for is_list in (pa.types.is_list, pa.types.is_large_list))


def _is_text_list(type_: pa.DataType) -> bool:
    return _is_list(type_) and _is_text(type_.value_type)


def _is_text_map(type_: pa.DataType) -> bool:
    return pa.types.is_map(type_) and _is_text(type_.key_type) and _is_text(type_.item_type)


def _is_time(type_: pa.DataType) -> bool:
    return any(is_time(type_) for is_time in (pa.types.is_integer, pa.types.is_timestamp))


def _unchanged(frame: pl.DataFrame) -> pl.DataFrame:
    return frame


@dataclass(frozen=True)
class Rules:
    """How pieces of a file become rows of a schema.

    Attributes:
        columns: of the schema, over the piece; at least the time.
        problems: reasons why a row cannot be used, each with when it holds; the first counts.
        is_empty: rows that only say that there was nothing.
        finish: adds to finished rows what is made of several of their columns.
    """

    schema: EventSchema
    columns: Mapping[str, pl.Expr]
    problems: Mapping[str, pl.Expr]
    is_empty: pl.Expr = field(default_factory=lambda: pl.lit(value=False))
    finish: Callable[[pl.DataFrame], pl.DataFrame] = _unchanged

    def apply(self, piece: pl.DataFrame, more: pl.DataFrame, origin: Origin) -> Decoded:
        """Rows and bad ones of a piece, which has `ROW` beside the fields, and of columns made out of it."""
        full = piece.hstack(more)
        verdict = full.with_columns(
            bad=pl.any_horizontal(pl.lit(value=False), *self.problems.values()).fill_null(value=False),
            empty=self.is_empty.fill_null(value=False),
        ).select("bad", "empty")
        is_bad = verdict["bad"]
        is_empty = verdict["empty"] & ~is_bad
        rows = full.filter(~(is_bad | is_empty)) if is_bad.any() or is_empty.any() else full
        return Decoded(
            frame=self.finish(conformed(rows, self.columns, self.schema, origin)),
            read=piece.height,
            bad=self._bad_rows(piece, full, is_bad) if is_bad.any() else (),
            empty=int(is_empty.sum()),
        )

    def _bad_rows(self, piece: pl.DataFrame, full: pl.DataFrame, is_bad: pl.Series) -> tuple[BadRow, ...]:
        reasons = (pl.when(holds).then(pl.lit(reason)) for reason, holds in self.problems.items())
        return tuple(_bad_rows(piece.filter(is_bad), full.filter(is_bad).select(pl.coalesce(*reasons)).to_series()))


def _bad_rows(rows: pl.DataFrame, reasons: pl.Series) -> Iterator[BadRow]:
    contents = rows.drop(ROW).write_ndjson().encode().split(b"\n")
    for position, reason, content in zip(rows[ROW], reasons, contents, strict=False):
        yield BadRow(position=position, reason=reason, content=content)
