"""A store with as many findings as one likes: those of the demo again and again, of other accounts, times, ends."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import Connection, Table

from guardray.findings.wire import time_text
from guardray.store.criteria.tokens import tokens_of
from guardray.store.database import Database
from guardray.store.index_schema import (
    DAY_TOTALS,
    DAY_US,
    FINDING_INDEX,
    FINDING_TERMS,
    FINDING_VALUES,
    RESOURCE_TOTALS,
    TYPE_TOTALS,
)
from guardray.store.schema import FINDINGS

Json = dict[str, Any]

NOW = datetime(2026, 11, 24, tzinfo=UTC)
REGIONS = ("eu-west-1", "us-east-1")
ACCOUNTS = tuple(f"{111111111111 + number}" for number in range(60))
_DAYS = 90
_ROWS_A_STEP = 5000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TIMES = ("event_first_seen", "event_last_seen", "created_at", "updated_at")
_PLACE = re.compile("@([a-z_]+)@")


TOTALS = (TYPE_TOTALS, DAY_TOTALS, RESOURCE_TOTALS)

_BY_RESOURCE = "SELECT {}, {}, account_id, resource_type, resource_name, count(*), max(updated_at) FROM finding_index"
RECOUNTED = {
    "finding_type_totals": """
        SELECT type, severity, archived, region, account_id, count(*), max(updated_at)
        FROM finding_index GROUP BY 1, 2, 3, 4, 5""",
    "finding_day_totals": f"""
        SELECT updated_at / {DAY_US}, severity, archived, region, account_id, count(*), max(updated_at)
        FROM finding_index GROUP BY 1, 2, 3, 4, 5""",
    "finding_resource_totals": f"""
        {_BY_RESOURCE.format("true", "region")} GROUP BY 1, 2, 3, 4, 5 UNION ALL
        {_BY_RESOURCE.format("true", "''")} GROUP BY 1, 2, 3, 4, 5 UNION ALL
        {_BY_RESOURCE.format("false", "region")} WHERE NOT archived GROUP BY 1, 2, 3, 4, 5 UNION ALL
        {_BY_RESOURCE.format("false", "''")} WHERE NOT archived GROUP BY 1, 2, 3, 4, 5""",
}
"""What the tables of totals should hold, in SQL."""


def demo_findings(folder: Path) -> list[Json]:
    """What `guardray demo` finds."""
    command = [sys.executable, "-m", "guardray", "demo", "--folder", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return [msgspec.json.decode(line) for line in (folder / "findings.jsonl").read_bytes().splitlines()]


def fill(database: Database, bases: Sequence[Json], number: int) -> None:
    """Fill an empty store, with its indexes made afterwards, as that is faster."""
    tables = (FINDINGS, FINDING_INDEX, FINDING_TERMS, *TOTALS)
    indexes = [index for table in tables for index in table.indexes]
    with database.writing() as connection:
        for index in indexes:
            index.drop(connection)
        terms: dict[str, int] = {}
        values: list[np.ndarray] = []
        findings = enumerate(variations([Template(base) for base in bases], number, Random(6)), start=1)
        while step := list(islice(findings, _ROWS_A_STEP)):
            _insert(connection, FINDINGS, (one.row() for _, one in step))
            _insert(connection, FINDING_INDEX, (one.index_row(place) for place, one in step))
            keys = [terms.setdefault(term, len(terms) + 1) << 32 | place for place, one in step for term in one.terms]
            values.append(np.array(keys, dtype=np.int64))
        _insert(connection, FINDING_TERMS, ((place, term) for term, place in terms.items()))
        keys = np.sort(np.concatenate(values))
        _insert(connection, FINDING_VALUES, zip((keys >> 32).tolist(), (keys & 0xFFFFFFFF).tolist(), strict=True))
        for table in TOTALS:
            connection.exec_driver_sql(f"INSERT INTO {table.name} {RECOUNTED[table.name]}")
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


@dataclass(frozen=True)
class Made:
    """A finding that was made up: its columns, its JSON and the terms of its values."""

    columns: dict[str, Any]
    json: str
    terms: list[str]

    def row(self) -> tuple[Any, ...]:
        """Of `findings`."""
        values = self.columns | {"json": self.json, "user_feedback": None}
        values |= {name: _column_time(self.columns[name]) for name in _TIMES}
        return tuple(values[column.name] for column in FINDINGS.c)

    def index_row(self, number: int) -> tuple[Any, ...]:
        """Of `finding_index`."""
        values = self.columns | {"number": number, "finding_id": self.columns["id"]}
        values |= {name: (self.columns[name] - _EPOCH) // _MICROSECOND for name in _TIMES}
        return tuple(values[column.name] for column in FINDING_INDEX.c)


class Template:
    """A finding with places for what varies, in its JSON and its terms."""

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
        self._terms = [_PLACE.split(term) for term in sorted(tokens_of(finding))]
        self.type, self.severity = finding["type"], float(finding["severity"])
        self.resource_type = resource["resourceType"]
        self.resource_place = {"Instance": "instance", "AccessKey": "user"}.get(self.resource_type, "accountid")

    def text(self, varying: dict[str, str]) -> str:
        return _filled(self._parts, varying)

    def terms(self, varying: dict[str, str]) -> list[str]:
        return [_filled(parts, varying) for parts in self._terms]


def variations(templates: Sequence[Template], number: int, random: Random) -> Iterator[Made]:
    """Findings as they come. Some accounts, types and values have many and most have few; a fifth is archived."""
    period = _DAYS * 86_400_000
    for since in sorted(random.randrange(period) for _ in range(number)):
        template = templates[_skewed(random, len(templates))]
        created = NOW - timedelta(milliseconds=period - since)
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
        columns = {
            "id": varying["id"],
            "account_id": varying["accountid"],
            "region": varying["region"],
            "detector_id": varying["detector"],
            "type": template.type,
            "severity": template.severity,
            "count": count,
            **dict(zip(_TIMES, (first, last, created, updated), strict=True)),
            "archived": archived,
            "resource_type": template.resource_type,
            "resource_name": varying[template.resource_place],
        }
        yield Made(columns, template.text(varying), template.terms(varying))


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
