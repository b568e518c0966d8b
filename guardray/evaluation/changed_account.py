"""A trail of an account whose people come to work in another way, for good: at any hour, and with ever other services.

Nothing in it is an attack. For some weeks everybody calls what they always call, from the office, by day, and now and
then something that they never called. From a week on they are on call around the clock, and look into other people's
services every day.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

FIRST = date(2026, 1, 5)
"""A Monday."""

PEOPLE, OWN, SERVICES = 12, 8, 40
"""How many they are, of how many APIs each has made a habit, and how many services there are to look into."""

BEFORE, AFTER = 0.4, 2.5
"""New APIs that somebody tries on a day, on average."""

OFFICE_HOURS = (8, 17)

ACCOUNT, OFFICE = "111122223333", "198.51.100.7"

_VERBS = ("Describe", "Get", "List")


def write(folder: Path, weeks: int, changed_from: int, seed: int = 1) -> Path:
    """A file of CloudTrail for each day, all of so many weeks; the change begins with a week, counted from 0."""
    drawn = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for day in range(7 * weeks):
        records = list(_day(drawn, FIRST + timedelta(days=day), is_changed=day >= 7 * changed_from))
        (folder / f"{day:03}.json").write_text(json.dumps({"Records": records}), encoding="utf-8")
    return folder


def _day(drawn: random.Random, day: date, *, is_changed: bool) -> Iterator[dict[str, Any]]:
    for person in range(PEOPLE):
        begins = drawn.randrange(24) if is_changed else drawn.randint(*OFFICE_HOURS)
        tried = drawn.random() * 2 * (AFTER if is_changed else BEFORE)
        chosen = [*((person % SERVICES, number) for number in range(OWN)), *_others(drawn, round(tried))]
        for number, (service, operation) in enumerate(chosen):
            at = datetime(day.year, day.month, day.day, begins, tzinfo=UTC) + timedelta(minutes=number)
            yield _record(at, person, service, operation)


def _others(drawn: random.Random, many: int) -> list[tuple[int, int]]:
    return [(drawn.randrange(SERVICES), drawn.randrange(OWN, 200)) for _ in range(many)]


def _record(at: datetime, person: int, service: int, operation: int) -> dict[str, Any]:
    name = f"person-{person}"
    return {
        "eventVersion": "1.08",
        "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "eventID": f"{at:%Y%m%d%H%M}-{person}-{service}-{operation}",
        "eventSource": f"service-{service}.amazonaws.com",
        "eventName": f"{_VERBS[operation % 3]}Thing{operation}",
        "awsRegion": "eu-west-1",
        "eventCategory": "Management",
        "eventType": "AwsApiCall",
        "sourceIPAddress": OFFICE,
        "userAgent": "aws-cli/2.15.30",
        "recipientAccountId": ACCOUNT,
        "userIdentity": {
            "type": "IAMUser",
            "principalId": f"AIDA{person:016}",
            "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
            "accountId": ACCOUNT,
            "userName": name,
        },
    }
