"""Makes the shipped data: `python -m guardray.geo.build COUNTRY ASN`, each an unpacked package folder or its .tgz file.

COUNTRY is the npm package @ip-location-db/asn-country, ASN is @ip-location-db/asn. Babel, which only this needs, names
the countries.
"""

from __future__ import annotations

import csv
import io
import json
import sys
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from guardray.geo.shipped import ABOUT, DATA, ORGANISATIONS, STEPS
from guardray.schema.addresses import NOT_PUBLIC
from guardray.schema.ipv6 import NOT_PUBLIC_V6

Step = tuple[int, int]
Range = tuple[int, int, int]

_SHORT_NAMES = {"HK": "Hong Kong", "MM": "Myanmar", "MO": "Macao", "PS": "Palestine"}
"""CLDR's own shorter forms, which Babel leaves out."""

_LICENCE = "CC BY 4.0; the country package is also declared CC0 1.0"
_ATTRIBUTION = (
    "Countries: NRO (nro.net), statistics of the five regional internet registries. "
    "Networks: RouteViews (routeviews.org), NRO and IP to ASN Lite by DB-IP (db-ip.com). "
    "Both as merged by ip-location-db, and made compact here: ranges joined, reserved addresses left out."
)


def main(arguments: Sequence[str]) -> None:
    """Writes the data beside the module that reads it. Ends with a line that says what is wrong with a package."""
    if len(arguments) != 2:
        raise SystemExit("usage: python -m guardray.geo.build COUNTRY ASN")
    country, asn = (Package(Path(argument)) for argument in arguments)
    codes = sorted({row[2] for version in (4, 6) for row in country.rows(f"asn-country-ipv{version}-num.csv")})
    numbers = {code: number for number, code in enumerate(codes, start=1)}
    holders: dict[int, str] = {}
    DATA.mkdir(exist_ok=True)
    reserved: dict[int, Iterable[IPv4Network | IPv6Network]] = {4: NOT_PUBLIC, 6: NOT_PUBLIC_V6}
    for version in (4, 6):
        places = [(int(a), int(b), numbers[c]) for a, b, c in country.rows(f"asn-country-ipv{version}-num.csv")]
        rows = list(asn.rows(f"asn-ipv{version}-num.csv"))
        holders |= {int(number): holder for _, _, number, holder in rows}
        networks = [(int(a), int(b), int(number)) for a, b, number, _ in rows]
        hidden = [(int(net[0]), int(net[-1]), 1) for net in reserved[version]]
        _write_steps(version, merged(*map(steps, (places, networks, hidden))))
    table = pa.table({"asn": pa.array(sorted(holders), pa.uint32()), "name": [holders[n] for n in sorted(holders)]})
    pq.write_table(table, DATA / ORGANISATIONS, compression="zstd", compression_level=19, use_dictionary=False)
    about = {
        "packages": [country.about(), asn.about()],
        "date": country.date(),
        "licence": _LICENCE,
        "attribution": _ATTRIBUTION,
        "countries": dict(zip(codes, _names(codes), strict=True)),
    }
    (DATA / ABOUT).write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


class Package:
    """An npm package, unpacked or as a .tgz file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def rows(self, name: str) -> Iterator[list[str]]:
        return csv.reader(io.StringIO(self._text(name)))

    def about(self) -> dict[str, str]:
        described = json.loads(self._text("package.json"))
        return {name: described[name] for name in ("name", "version", "license")}

    def date(self) -> str:
        """ISO date; versions end in year, month, day and a number."""
        stamp = self.about()["version"].rpartition(".")[2]
        return f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}"

    def _text(self, name: str) -> str:
        try:
            return self._read(name)
        except (OSError, KeyError, tarfile.TarError) as error:
            raise SystemExit(f"{self._path}: no {name} can be read from it: {error}") from None

    def _read(self, name: str) -> str:
        if self._path.is_dir():
            nested = self._path / "package" / name
            return (nested if nested.exists() else self._path / name).read_text(encoding="utf-8")
        with tarfile.open(self._path) as archive:
            member = archive.extractfile(f"package/{name}")
            assert member is not None, f"{name} is a folder"
            return member.read().decode()


def steps(ranges: Iterable[Range]) -> list[Step]:
    """Ranges as the places where the value changes, 0 between them. A range ends where the next begins."""
    found: list[Step] = [(0, 0)]
    ordered = sorted(ranges)
    for (first, last, value), following in zip(ordered, [*ordered[1:], None], strict=True):
        found.append((first, value))
        if following is None or last + 1 < following[0]:
            found.append((last + 1, 0))
    return found


def merged(countries: list[Step], networks: list[Step], hidden: list[Step]) -> list[tuple[int, int, int]]:
    """Start, country and network of each stretch in which both stay the same; none of them where it is hidden."""
    layers = (countries, networks, hidden)
    events = sorted((start, layer, value) for layer, part in enumerate(layers) for start, value in part)
    now, found = [0, 0, 0], [(0, 0, 0)]
    for index, (start, layer, value) in enumerate(events):
        now[layer] = value
        if index + 1 < len(events) and events[index + 1][0] == start:
            continue
        place = (0, 0) if now[2] else (now[0], now[1])
        if place != found[-1][1:]:
            found.append((start, *place))
    return found


def _write_steps(version: int, found: list[tuple[int, int, int]]) -> None:
    most = 2**32 if version == 4 else 2**128
    found = [step for step in found if step[0] < most]
    starts = [start for start, _, _ in found]
    columns: dict[str, pa.Array] = {}
    if version == 4:
        columns["gap"] = pa.array(np.diff(starts, prepend=0).astype(np.uint32))
    else:
        high = np.array([start >> 64 for start in starts], np.uint64)
        columns["high_gap"] = pa.array(np.diff(high, prepend=np.uint64(0)))
        columns["low"] = pa.array(np.array([start & 2**64 - 1 for start in starts], np.uint64))
    columns["country"] = pa.array(np.array([country for _, country, _ in found], np.uint8))
    columns["asn"] = pa.array(np.array([asn for _, _, asn in found], np.uint32))
    # Gaps between starts are multiples of large powers of two: split into bytes, most of these are zero.
    split = {name: "BYTE_STREAM_SPLIT" for name in columns if name != "country" and name != "asn"}
    pq.write_table(
        pa.table(columns),
        DATA / STEPS.format(version),
        compression="zstd",
        compression_level=19,
        use_dictionary=["asn", "country"],
        dictionary_pagesize_limit=2**21,
        column_encoding=split,
    )


def _names(codes: Sequence[str]) -> list[str]:
    # By name, since it is no dependency of the program: only who renews the data needs it.
    names = import_module("babel").Locale("en").territories
    return [_SHORT_NAMES.get(code, names[code]) for code in codes]


if __name__ == "__main__":
    main(sys.argv[1:])
