"""Text of fields between commas, tabs or semicolons: fields may be quoted, and blanks may stand after a comma.

Every line is a record of its own: a quote that is not closed ends with its line, so that a stray one cannot swallow
the rest of a list.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import Self

import polars as pl

from guardray.intel.formats.rows import comments_of, lines_of

_DELIMITERS = (",", "\t", ";")


@dataclass(frozen=True)
class Records:
    """The lines of a text that are no comments, as fields.

    Attributes:
        lines: UInt32 [n]: the number of each record's line, from 1.
        fields: [n]; records may be of different lengths.
        comments: what stood before the first record after a `#`, as fields, the nearest first.
    """

    lines: pl.Series
    fields: list[list[str]]
    comments: list[list[str]]

    @classmethod
    def of(cls, text: str) -> Self:
        """From text whose first record shows what stands between fields."""
        lines = lines_of(text)
        first = lines["text"][0] if lines.height else ""
        delimiter = next((one for one in _DELIMITERS if one in first), ",")
        before = comments_of(text, int(lines["line"][0]) if lines.height else 1)
        return cls(
            lines["line"],
            [_fields(line, delimiter) for line in lines["text"].to_list()],
            [_fields(line, delimiter) for line in reversed(before)],
        )

    def without_first(self) -> Records:
        """All records but the first."""
        return Records(self.lines[1:], self.fields[1:], self.comments)

    def begins_with(self, *names: str) -> bool:
        """Whether the first field of all is one of the names, given in lower case."""
        return bool(self.fields and self.fields[0]) and self.fields[0][0].lower() in names

    def header(self, *names: str) -> tuple[list[str], Records] | None:
        """The names of all columns in lower case, and the records without them.

        It is the first record, or a comment before it (abuse.ch writes them so). None where neither has all names,
        which are given in any case.
        """
        wanted = {name.strip().lower() for name in names}
        for candidate in (*self.fields[:1], *self.comments):
            header = [field.lower() for field in candidate]
            if wanted <= set(header):
                return header, self.without_first() if candidate in self.fields[:1] else self
        return None

    def column(self, place: int) -> pl.Series:
        """String [n]: field number `place` of each record, from 0; null where a record is shorter."""
        return pl.Series([fields[place] if place < len(fields) else None for fields in self.fields], dtype=pl.String)


def _fields(line: str, delimiter: str) -> list[str]:
    """The fields without blanks around; none where one is longer than the standard library reads."""
    try:
        return [field.strip() for field in next(csv.reader((line,), delimiter=delimiter, skipinitialspace=True))]
    except csv.Error:
        return []
