"""Formats with columns: `csv` of public feeds, OTX_CSV, PROOF_POINT and FIRE_EYE."""

from __future__ import annotations

import msgspec
import polars as pl

from guardray.intel.formats.options import Options
from guardray.intel.formats.records import Records
from guardray.intel.formats.times import times

_FIRE_EYE_COLUMNS = ("ip", "cidr", "domain")
_USED_KINDS = r"(?i)^(?:ip|cidr)|domain|host"
_MAX_CONFIDENCE = 100


def csv(text: str, options: Options) -> pl.DataFrame:
    """`ROWS` and facts of a list whose columns are told by number, or by the names in its header.

    Raises:
        ValueError: the list has no header with the names.
    """
    records = Records.of(text)
    places = {name: place for name, place in msgspec.structs.asdict(options.columns).items() if place is not None}
    names = [place for place in places.values() if isinstance(place, str)]
    header: list[str] = []
    if names:
        found = records.header(*names)
        if found is None:
            raise ValueError(f"no header names the columns {', '.join(names)}")
        header, records = found
    columns = {
        name: records.column(header.index(place.strip().lower()) if isinstance(place, str) else place - 1)
        for name, place in places.items()
    }
    rows = pl.DataFrame({"line": records.lines, **columns}).rename({"indicator": "value"})
    return _of_used_kinds(_typed(rows, options))


def otx_csv(text: str, options: Options) -> pl.DataFrame:
    """`ROWS` of an OTX pulse: type, value, note."""
    records = Records.of(text)
    if records.begins_with("indicator type"):
        records = records.without_first()
    kind, value = records.column(0), records.column(1)
    return _of_used_kinds(pl.DataFrame({"line": records.lines, "value": value, "kind": kind}))


def proof_point(text: str, options: Options) -> pl.DataFrame:
    """`ROWS` of an ET Intelligence list: only the first column counts."""
    records = Records.of(text)
    if records.begins_with("ip", "domain"):
        records = records.without_first()
    return pl.DataFrame({"line": records.lines, "value": records.column(0)})


def fire_eye(text: str, options: Options) -> pl.DataFrame:
    """`ROWS` of an iSIGHT export: an address, a block and a domain a line, any of which may be empty.

    Raises:
        ValueError: the list has no header with these names.
    """
    found = Records.of(text).header(*_FIRE_EYE_COLUMNS)
    if found is None:
        raise ValueError(f"no header names the columns {', '.join(_FIRE_EYE_COLUMNS)}")
    header, records = found
    columns = [records.column(header.index(name)) for name in _FIRE_EYE_COLUMNS]
    return pl.concat([pl.DataFrame({"line": records.lines, "value": column}) for column in columns])


def _of_used_kinds(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows without their `kind`, and without a value where that is something else than an address or a domain."""
    if "kind" not in rows.columns:
        return rows
    return rows.with_columns(pl.when(pl.col("kind").str.contains(_USED_KINDS)).then("value").alias("value")).drop(
        "kind"
    )


def _typed(rows: pl.DataFrame, options: Options) -> pl.DataFrame:
    """The facts of rows, from texts. What cannot be read is unknown."""
    facts: dict[str, pl.Expr | pl.Series] = {}
    meant = next((name for name in ("category", "threat_name") if name in rows.columns), None)
    if meant is not None:
        lower = pl.col(meant).str.to_lowercase()
        facts["category"] = lower.replace_strict(options.categories, default=None, return_dtype=pl.String)
    if "threat_name" in rows.columns:
        facts["threat_name"] = pl.col("threat_name").replace("", None)
    if "confidence" in rows.columns:
        number = pl.col("confidence").cast(pl.Float64, strict=False)
        facts["confidence"] = pl.when(number.is_between(0, _MAX_CONFIDENCE)).then(number.round()).cast(pl.UInt8)
    if "expires" in rows.columns:
        facts["expires"] = times(rows["expires"])
    return rows.with_columns(**facts)
