"""Ten quiet days of an account, one CloudTrail object each, with what nobody did before on the last two."""

from __future__ import annotations

import gzip
import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

ACCOUNT, REGION = "111122223333", "eu-west-1"
FIRST = datetime(2026, 1, 5, 9, tzinfo=UTC)
USUAL = ("ec2.amazonaws.com DescribeInstances", "s3.amazonaws.com ListBuckets", "sts.amazonaws.com GetCallerIdentity")
UNUSUAL = ("iam.amazonaws.com CreateAccessKey", "iam.amazonaws.com AttachUserPolicy", "kms.amazonaws.com Decrypt")
USERS = ("alice", "bob", "carol", "dora")


def write_ten_days(folder: Path) -> Path:
    """The folder with the objects."""
    for day in range(10):
        at = FIRST + timedelta(days=day)
        calls = [(user, call) for user in USERS for call in USUAL]
        calls += [("alice", call) for call in UNUSUAL] if day >= 8 else []
        name = f"{ACCOUNT}_CloudTrail_{REGION}_{at + timedelta(hours=1):%Y%m%dT%H%MZ}_{'A' * 15}{day}.json.gz"
        path = folder / "AWSLogs" / ACCOUNT / "CloudTrail" / REGION / f"{at:%Y/%m/%d}" / name
        path.parent.mkdir(parents=True)
        records = [_record(user, call, at + timedelta(minutes=index)) for index, (user, call) in enumerate(calls)]
        path.write_bytes(gzip.compress(json.dumps({"Records": records}).encode()))
    return folder / "AWSLogs"


def _record(user: str, call: str, at: datetime) -> dict[str, object]:
    source, name = call.split(" ")
    return {
        "eventVersion": "1.11",
        "eventID": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{user} {call} {at}")),
        "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": source,
        "eventName": name,
        "eventType": "AwsApiCall",
        "eventCategory": "Management",
        "managementEvent": True,
        "readOnly": name.startswith(("Describe", "List", "Get")),
        "awsRegion": REGION,
        "recipientAccountId": ACCOUNT,
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-cli/2.31.3",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": f"AIDA{user.upper():A>12}",
            "arn": f"arn:aws:iam::{ACCOUNT}:user/{user}",
            "accountId": ACCOUNT,
            "accessKeyId": f"AKIA{user.upper():A>12}",
            "userName": user,
        },
    }
