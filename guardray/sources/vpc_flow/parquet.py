"""VPC Flow Logs as Parquet: the fields of the text format, their names with underscores, numbers as numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl
import pyarrow as pa

from guardray.errors import SourceError
from guardray.schema.columns import UTC_US
from guardray.schema.network_activity import SCHEMA
from guardray.sources.decoder import Decoded, Origin
from guardray.sources.parquet import Fields, Rules, Source, open_parquet
from guardray.sources.vpc_flow.addresses import addresses
from guardray.sources.vpc_flow.fields import ADDRESSES, NUMBERS, STATUS, TIMES, UNKNOWN, WORDS, Layout, Word

_SECOND_US = 1_000_000


def decode(source: Source, layout: Layout, origin: Origin) -> Iterator[Decoded]:
    """Rows of a file whose columns have this layout, piece by piece.

    Raises:
        SourceError: a column has another type, or columns are missing without which rows tell nothing.
    """
    if lacks := layout.lacks(has_time=origin.key_time is not None):
        raise SourceError(origin.url, f"the flow log has no {lacks}")
    fields = Fields(open_parquet(source, origin.url).schema_arrow, origin.url)
    column_of = {name: fields.names[position] for name, position in layout.positions.items()}
    texts = {name: column_of[name] for name in (*ADDRESSES, *WORDS) if name in column_of}
    for column in texts.values():
        fields.text(column)
    rules = _rules(fields, column_of, origin)
    for first, batch in fields.batches(open_parquet(source, origin.url, encoded=list(texts.values()))):
        read = pl.DataFrame([part for name, column in texts.items() for part in _read(batch.column(column), name)])
        # Polars does not forget texts of dictionaries: they stay with Arrow, unless a row must be shown.
        numbers = batch.drop_columns(list(texts.values()))
        decoded = rules.apply(fields.piece(first, numbers), read, origin)
        yield (
            decoded if not decoded.bad else rules.apply(fields.piece(first, _without_dictionaries(batch)), read, origin)
        )


def _without_dictionaries(batch: pa.RecordBatch) -> pa.RecordBatch:
    plain = [pa.field(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type) for f in batch.schema]
    return batch.cast(pa.schema(plain))


def _rules(fields: Fields, column_of: Mapping[str, str], origin: Origin) -> Rules:
    numbers = {name: fields.whole(column_of[name]) for name in NUMBERS if name in column_of}
    times = {name: fields.time(column_of[name], unit_us=_SECOND_US) for name in TIMES if name in column_of}
    time = pl.coalesce(*times.values(), pl.lit(origin.key_time, UTC_US))
    words = [name for name in WORDS if name in column_of]
    columns = {
        "time": time,
        "end_time": pl.coalesce(*reversed(times.values()), time),
        **{NUMBERS[name].column: number for name, number in numbers.items()},
        **{column: pl.col(_value(name)) for name, column in ADDRESSES.items()},
        **{f"{column}_v4": pl.col(_number(name)) for name, column in ADDRESSES.items()},
        **{WORDS[name].column: pl.col(_value(name)) for name in words if name != STATUS},
    }
    is_empty = ~pl.col(_value(STATUS)) if STATUS in words else pl.lit(value=False)
    problems = {
        **{
            f"{name} is no number up to {NUMBERS[name].most}": _is_outside(name, number)
            for name, number in numbers.items()
        },
        **{f"{name} cannot be read": pl.col(_is_bad(name)) for name in (*ADDRESSES, *words)},
        **{f"{name} is no time": fields.is_given(column_of[name]) & time.is_null() for name, time in times.items()},
        "has no time": time.is_null() & is_empty.not_().fill_null(value=True),
    }
    return Rules(SCHEMA, columns, problems, is_empty)


def _is_outside(name: str, number: pl.Expr) -> pl.Expr:
    return ~number.is_between(0, NUMBERS[name].most)


def _read(texts: pa.DictionaryArray, name: str) -> list[pl.Series]:
    """What the texts of a field stand for: a column of values, one that says whether a value is nonsense, and for
    addresses one of numbers."""
    rows = pl.Series(texts.indices)
    if name in ADDRESSES:
        read = addresses(texts.dictionary)
        text = _spread(_value(name), read.text, rows, None, pl.String())
        return [read.number.gather(rows).alias(_number(name)), text, _spread_flag(name, read.is_bad, rows)]
    values, is_bad = _meanings(pl.Series(texts.dictionary, dtype=pl.String), WORDS[name])
    return [values.gather(rows).alias(_value(name)), _spread_flag(name, is_bad, rows)]


def _spread_flag(name: str, is_bad: pl.Series | None, rows: pl.Series) -> pl.Series:
    return _spread(_is_bad(name), is_bad, rows, False, pl.Boolean())


def _spread(
    name: str, distinct: pl.Series | None, rows: pl.Series, usual: bool | None, dtype: pl.DataType
) -> pl.Series:
    """Values over rows; without them all rows are as usual, and need not be looked up."""
    if distinct is None:
        return pl.repeat(usual, len(rows), dtype=dtype, eager=True).alias(name)
    return distinct.gather(rows).alias(name)


def _meanings(words: pl.Series, word: Word) -> tuple[pl.Series, pl.Series | None]:
    """What words stand for, and which of them are nonsense, None if none is."""
    if word.read is str:  # interfaces and the like, of which there are many
        return words.replace(UNKNOWN, None), None
    values: list[str | bool | None] = []
    is_bad: list[bool] = []
    for text in words.to_list():
        value, is_nonsense = None, False
        try:
            value = None if text == UNKNOWN else word.read(text)
        except ValueError:
            is_nonsense = True
        values.append(value)
        is_bad.append(is_nonsense)
    return pl.Series(values, dtype=word.dtype), pl.Series(is_bad) if any(is_bad) else None


def _value(name: str) -> str:
    return f"{name} value"


def _number(name: str) -> str:
    return f"{name} number"


def _is_bad(name: str) -> str:
    return f"{name} is bad"
