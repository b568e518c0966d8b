"""A trail of three users at work, who now and then call what they never called, and a theft: to train models with."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from pathlib import Path

FIRST = date(2026, 1, 5)
DAYS = 35
OFFICE = "198.51.100.7"
OPERATIONS = [f"Describe{name}{number}" for name in ("Hosts", "Images", "Vpcs") for number in range(60)]


def record(day: date, number: int, user: str, operation: str, **changes: object) -> dict:
    return {
        "eventVersion": "1.08",
        "eventTime": f"{day}T{9 + number % 8:02}:{number % 60:02}:00Z",
        "eventID": f"{day}-{user}-{number}-{operation}",
        "eventSource": "ec2.amazonaws.com",
        "eventName": operation,
        "awsRegion": "eu-west-1",
        "eventCategory": "Management",
        "eventType": "AwsApiCall",
        "sourceIPAddress": OFFICE,
        "userAgent": "aws-cli/2.15.30",
        "recipientAccountId": "111122223333",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": f"AIDA{user.upper()}",
            "arn": f"arn:aws:iam::111122223333:user/{user}",
            "accountId": "111122223333",
            "userName": user,
        },
        **changes,
    }


def worked(first: int, last: int) -> list[dict]:
    """Days of three users, each of whom now and then calls what they never called."""
    rng = random.Random(7)
    days = [
        [
            record(FIRST + timedelta(day), number, user, operation)
            for user in ("ada", "bo", "cy")
            for number, operation in enumerate([*OPERATIONS[:4], *rng.sample(OPERATIONS, 3)])
        ]
        for day in range(DAYS + 7)
    ]
    return [one for day in days[first:last] for one in day]


def written(file: Path, records: list[dict]) -> Path:
    file.write_text(json.dumps({"Records": records}))
    return file


STOLEN = {"eventSource": "iam.amazonaws.com", "userAgent": "Boto3/1.34.51 md/Botocore#1.34.51"}


def attack(day: int) -> list[dict]:
    return [record(FIRST + timedelta(day), 5, "ada", "CreateAccessKey", **STOLEN)]
