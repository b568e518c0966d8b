"""One field of all records: read into an array, noted where it is nonsense, given as a column over the array."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from guardray.sources.vpc_flow import kernels
from guardray.sources.vpc_flow.fields import UNKNOWN, Number, Word, ipv6
from guardray.sources.vpc_flow.records import Records, problem

Array = NDArray[Any]
Value = str | bool | None
Problems = dict[int, str]
"""Row to the first reason why it cannot be used."""


class Reading(Protocol):
    """A field that is being read: any number of `read`, then one `finish`."""

    def read(self, first: int, last: int) -> None:
        """Read the rows from `first` up to `last`, where the last call ended."""

    def finish(self, problems: Problems) -> None:
        """Note rows with nonsense."""

    def arrays(self) -> Mapping[str, Array]:
        """What was read: [records] each."""

    def columns(self) -> Mapping[str, pl.Expr]:
        """Columns of the schema, over `arrays`."""


class NumberReading:
    """Whole numbers, null where there is none."""

    def __init__(self, records: Records, name: str, number: Number) -> None:
        self._records, self._name, self._number = records, name, number
        self._values = np.empty(len(records), np.int64)
        self._states = np.empty(len(records), np.uint8)
        self._worst: int = kernels.VALUE

    @property
    def is_null(self) -> NDArray[np.bool_]:
        return np.not_equal(self._states, kernels.VALUE)

    def read(self, first: int, last: int) -> None:
        text, bounds, position = self._records.part(self._name, first, last)
        values, states = self._values[first:last], self._states[first:last]
        worst = kernels.numbers(text, bounds, position, self._number.most, values, states)
        self._worst = max(self._worst, worst)

    def finish(self, problems: Problems) -> None:
        if self._worst == kernels.OTHER:
            rows = np.flatnonzero(self._states == kernels.OTHER)
            for row, field in zip(rows.tolist(), self._records.fields(rows, self._name), strict=True):
                problems.setdefault(row, problem(self._name, field, f"is no number up to {self._number.most}"))

    def arrays(self) -> Mapping[str, Array]:
        return _with_states(self._name, self._values, self._states, self._worst)

    def columns(self) -> Mapping[str, pl.Expr]:
        return {self._number.column: _where_known(self._name, self._worst)}


class AddressReading:
    """Addresses, null where there is none: IPv4 as numbers, others as text."""

    def __init__(self, records: Records, name: str, column: str) -> None:
        self._records, self._name, self._column = records, name, column
        self._values = np.empty(len(records), np.uint32)
        self._states = np.empty(len(records), np.uint8)
        self._worst: int = kernels.VALUE
        self._texts: tuple[WordReading, NDArray[np.intp]] | None = None

    def read(self, first: int, last: int) -> None:
        text, bounds, position = self._records.part(self._name, first, last)
        values, states = self._values[first:last], self._states[first:last]
        worst = kernels.addresses(text, bounds, position, values, states)
        self._worst = max(self._worst, worst)

    def finish(self, problems: Problems) -> None:
        if self._worst == kernels.OTHER:
            rows = np.flatnonzero(self._states == kernels.OTHER)
            texts = WordReading(self._records.only(rows), self._name, Word(self._column, pl.String(), ipv6))
            texts.read(0, len(rows))
            found: Problems = {}
            texts.finish(found)
            for row, problem in found.items():
                problems.setdefault(int(rows[row]), problem)
            self._texts = texts, rows

    def arrays(self) -> Mapping[str, Array]:
        arrays = _with_states(self._name, self._values, self._states, self._worst)
        if self._texts is None:
            return arrays
        texts, rows = self._texts
        return {**arrays, **texts.arrays_at(rows, len(self._records))}

    def columns(self) -> Mapping[str, pl.Expr]:
        numbers = {self._column + "_v4": _where_known(self._name, self._worst)}
        return numbers if self._texts is None else {**numbers, **self._texts[0].columns()}


class WordReading:
    """Words: each distinct one is looked at once."""

    def __init__(self, records: Records, name: str, word: Word) -> None:
        self._records, self._name, self._word = records, name, word
        self._codes = np.empty(len(records), np.int32)
        self._firsts = np.empty(len(records), np.int32)
        self._table = np.full(kernels.table_size(len(records)), -1, np.int32)
        self._count = 0
        self._values: list[Value] = []

    @property
    def is_false(self) -> NDArray[np.bool_]:
        return np.array([value is False for value in self._values], np.bool_)[self._codes]

    def read(self, first: int, last: int) -> None:
        records = self._records
        position = records.layout.positions[self._name]
        self._count = kernels.distinct(
            records.text, records.bounds, position, first, last, self._codes, self._firsts, self._table, self._count
        )

    def finish(self, problems: Problems) -> None:
        fields = self._records.fields(self._firsts[: self._count], self._name)
        joined = b"\n".join(fields)
        if self._word.read is str and joined.isascii() and all(fields):  # interfaces and the like: many, all right
            self._values = [None if word == UNKNOWN else word for word in joined.decode().split("\n") if word]
            return
        reasons: dict[int, str] = {}
        for code, field in enumerate(fields):
            try:
                self._values.append(_value(field, self._word.read))
            except ValueError as error:
                self._values.append(None)
                reasons[code] = problem(self._name, field, str(error))
        if reasons:
            for row in np.flatnonzero(np.isin(self._codes, list(reasons))).tolist():
                problems.setdefault(row, reasons[int(self._codes[row])])

    def arrays(self) -> Mapping[str, Array]:
        return {_codes(self._name): self._codes}

    def arrays_at(self, rows: NDArray[np.intp], height: int) -> Mapping[str, Array]:
        """`arrays` where only these rows out of `height` were read, and the others are null."""
        codes = np.full(height, len(self._values), np.int32)
        codes[rows] = self._codes
        return {_codes(self._name): codes}

    def columns(self) -> Mapping[str, pl.Expr]:
        values = pl.Series([*self._values, None], dtype=self._word.dtype)
        return {self._word.column: pl.lit(values).gather(pl.col(_codes(self._name)))}


def _value(field: bytes, read: Callable[[str], Value]) -> Value:
    if not field:
        raise ValueError("is empty")
    if not field.isascii():
        raise ValueError("is not ASCII")
    word = field.decode()
    return None if word == UNKNOWN else read(word)


def _codes(name: str) -> str:
    return f"{name} codes"


def _states(name: str) -> str:
    return f"{name} states"


def _with_states(name: str, values: Array, states: Array, worst: int) -> dict[str, Array]:
    return {name: values} if worst == kernels.VALUE else {name: values, _states(name): states}


def _where_known(name: str, worst: int) -> pl.Expr:
    values = pl.col(name)
    return values if worst == kernels.VALUE else pl.when(pl.col(_states(name)) == kernels.VALUE).then(values)
