"""A store with as many findings as one likes: those of the demo again and again, of other accounts, times, ends."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from sqlalchemy import Connection, Table

from guardray.findings.wire import time_text
from guardray.store.criteria.tokens import tokens_of
from guardray.store.criteria_schema import FINDING_VALUES
from guardray.store.database import Database
from guardray.store.schema import FINDINGS

Json = dict[str, Any]

NOW = datetime(2026, 11, 24, tzinfo=UTC)
REGIONS = ("eu-west-1", "us-east-1")
ACCOUNTS = tuple(f"{111111111111 + number}" for number in range(60))
_DAYS = 90
_ROWS_A_STEP = 5000
_PLACE = re.compile("@([a-z_]+)@")


def demo_findings(folder: Path) -> list[Json]:
    """What `guardray demo` finds."""
    command = [sys.executable, "-m", "guardray", "demo", "--folder", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return [msgspec.json.decode(line) for line in (folder / "findings.jsonl").read_bytes().splitlines()]


def fill(database: Database, bases: Sequence[Json], number: int) -> None:
    """Fill an empty store, with its indexes made afterwards, as that is faster."""
    indexes = [index for table in (FINDINGS, FINDING_VALUES) for index in table.indexes]
    with database.writing() as connection:
        for index in indexes:
            index.drop(connection)
        findings = variations([Template(base) for base in bases], number, Random(6))
        while step := list(islice(findings, _ROWS_A_STEP)):
            _insert(connection, FINDINGS, (row for row, _ in step))
            _insert(connection, FINDING_VALUES, (value for _, values in step for value in values))
        for index in indexes:
            index.create(connection)


def _insert(connection: Connection, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    """By the driver itself, which takes a tenth of the time."""
    names = [column.name for column in table.columns]
    cursor = connection.connection.cursor()
    if connection.dialect.name == "sqlite":
        cursor.executemany(f"INSERT INTO {table.name} VALUES ({', '.join('?' * len(names))})", rows)
        return
    cursor.execute("SET LOCAL TIME ZONE 'UTC'")
    with cursor.copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


class Template:
    """A finding with places for what varies, as a row of `findings` and rows of `finding_values`."""

    def __init__(self, base: Json) -> None:
        finding: Json = msgspec.json.decode(msgspec.json.encode(base))
        finding |= {name: f"@{name.lower()}@" for name in ("id", "accountId", "region", "createdAt", "updatedAt")}
        service, resource = finding["service"], finding["resource"]
        service |= {
            "eventFirstSeen": "@first@",
            "eventLastSeen": "@last@",
            "archived": "@archived@",
            "count": "@count@",
        }
        service["detectorId"] = "@detector@"
        _put(resource.get("instanceDetails", {}), "instanceId", "@instance@")
        _put(resource.get("accessKeyDetails", {}), "userName", "@user@")
        for details in service["action"].values():
            if isinstance(details, dict):
                _put(details.get("remoteIpDetails", {}), "ipAddressV4", "@address@")
        text = msgspec.json.encode(finding).decode()
        text = text.replace('"@archived@"', "@archived@").replace('"@count@"', "@count@")
        self._parts = _PLACE.split(text)
        self._values = [(number, _PLACE.split(token)) for number, token in sorted(tokens_of(finding))]
        self.type, self.severity = finding["type"], float(finding["severity"])
        self.resource_type = resource["resourceType"]
        self.resource_place = {"Instance": "instance", "AccessKey": "user"}.get(self.resource_type, "accountid")

    def text(self, varying: dict[str, str]) -> str:
        return _filled(self._parts, varying)

    def values(self, varying: dict[str, str]) -> list[tuple[int, str, str]]:
        return [(number, _filled(parts, varying), varying["id"]) for number, parts in self._values]


def variations(
    templates: Sequence[Template], number: int, random: Random
) -> Iterator[tuple[tuple[Any, ...], list[tuple[int, str, str]]]]:
    """Rows of both tables. Some accounts, types and values have many and most have few; a fifth is archived."""
    for _ in range(number):
        template = templates[_skewed(random, len(templates))]
        created = NOW - timedelta(milliseconds=random.randrange(_DAYS * 86_400_000))
        updated = min(NOW, created + timedelta(milliseconds=int(random.expovariate(1 / 86_400_000))))
        first, last = created - timedelta(minutes=20), updated - timedelta(minutes=10)
        archived, count = random.random() < 0.2, int(random.expovariate(0.1)) + 1
        address = _skewed(random, 60_000)
        varying = {
            "id": f"{random.getrandbits(128):032x}",
            "accountid": ACCOUNTS[_skewed(random, len(ACCOUNTS))],
            "region": REGIONS[random.random() < 0.2],
            "createdat": time_text(created),
            "updatedat": time_text(updated),
            "first": time_text(first),
            "last": time_text(last),
            "archived": "true" if archived else "false",
            "count": str(count),
            "detector": "0" * 32,
            "instance": f"i-{_skewed(random, 50_000):017x}",
            "user": f"user-{_skewed(random, 20_000)}",
            "address": f"198.51.{address >> 8}.{address & 255}",
        }
        row = (
            varying["id"],
            varying["accountid"],
            varying["region"],
            varying["detector"],
            template.type,
            template.severity,
            count,
            *(_column_time(time) for time in (first, last, created, updated)),
            archived,
            template.resource_type,
            varying[template.resource_place],
            template.text(varying),
            None,
        )
        yield row, template.values(varying)


def _put(details: Json, name: str, place: str) -> None:
    if name in details:
        details[name] = place


def _filled(parts: Sequence[str], varying: dict[str, str]) -> str:
    return "".join(varying[part] if number % 2 else part for number, part in enumerate(parts))


def _column_time(time: datetime) -> str:
    """As both databases take it and SQLAlchemy's SQLite dialect writes it."""
    return time.strftime("%Y-%m-%d %H:%M:%S.%f")


def _skewed(random: Random, number: int) -> int:
    return int(number * random.random() ** 3)
