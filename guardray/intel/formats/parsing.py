"""One way from a list's content to its entries, whatever the format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import polars as pl

from guardray.intel.categories import Category
from guardray.intel.entries import Entries
from guardray.intel.formats import lines, tables
from guardray.intel.formats.addresses import ranges
from guardray.intel.formats.exceptions import without
from guardray.intel.formats.names import domains
from guardray.intel.formats.onionoo import onionoo
from guardray.intel.formats.options import DEFAULT_COLUMNS, MAX_BYTES, Columns, Format, Kind, Options, canonical
from guardray.intel.formats.stix import stix
from guardray.intel.formats.unpacking import decoded, unpacked

_READERS: Mapping[Format, Callable[[str, Options], pl.DataFrame]] = MappingProxyType(
    {
        "TXT": lines.plain,
        "STIX": stix,
        "OTX_CSV": tables.otx_csv,
        "ALIEN_VAULT": lines.alien_vault,
        "PROOF_POINT": tables.proof_point,
        "FIRE_EYE": tables.fire_eye,
        "plain": lines.plain,
        "csv": tables.csv,
        "hosts": lines.hosts,
        "ipsum": lines.ipsum,
        "onionoo": onionoo,
    }
)

_WANTED: dict[Kind, str] = {
    "ip": "public address or network",
    "domain": "domain",
    "any": "public address, network or domain",
}
_SHOWN_LINES = 5


def parse(
    content: bytes,
    format: str,  # noqa: A002
    kind: Kind,
    *,
    columns: Columns = DEFAULT_COLUMNS,
    categories: Mapping[str, Category] = MappingProxyType({}),
    min_lists: int = 1,
    max_bytes: int = MAX_BYTES,
    except_: Sequence[str] = (),
) -> Entries:
    """The usable indicators of a list.

    Args:
        content: as it was downloaded; gzip and a zip of one file are understood.
        format: one of `FORMATS`, in any case.
        kind: what is wanted; other lines are skipped.
        columns, categories, min_lists: see `Options`.
        max_bytes: more than this is not unpacked.
        except_: addresses, networks, ranges and domains that the list is wrong about: they are cut out.

    Raises:
        ValueError: with the reason, where the content cannot be read as this format, or nothing usable is left.
    """
    reader = _READERS[canonical(format)]
    options = Options(columns=columns, categories=_lower(categories), min_lists=min_lists)
    entries = without(_entries(reader(decoded(unpacked(content, max_bytes)), options), kind), except_)
    if not len(entries):
        raise ValueError(f"no {_WANTED[kind]} in it{_skipped(entries)}")
    return entries


def _skipped(entries: Entries) -> str:
    """Which lines were skipped, in words."""
    if not entries.skipped_lines:
        return ""
    numbers = ", ".join(map(str, entries.skipped_lines))
    others = "" if len(entries.skipped_lines) == entries.skipped else f" and others, {entries.skipped:,} in all"
    return f"; skipped {'line' if entries.skipped == 1 else 'lines'} {numbers}{others}"


def _entries(rows: pl.DataFrame, kind: Kind) -> Entries:
    """The rows that hold an indicator of the kind, by what it is, and the lines that have no such row."""
    v4, v6 = ranges(rows) if kind != "domain" else (None, None)
    named = domains(rows) if kind != "ip" else None
    used = pl.concat([frame["line"] for frame in (v4, v6, named) if frame is not None])
    skipped = rows["line"].unique().sort()
    skipped = skipped.filter(~skipped.is_in(used.unique().implode()))
    first_few = tuple(skipped.head(_SHOWN_LINES).to_list())
    return Entries.of(v4=v4, v6=v6, domains=named, skipped=len(skipped), skipped_lines=first_few)


def _lower(categories: Mapping[str, Category]) -> dict[str, Category]:
    return {name.strip().lower(): category for name, category in categories.items()}
