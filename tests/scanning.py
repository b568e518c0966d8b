"""A trail with one finding in it, and `guardray scan` run in this process: what tests of the command share."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from guardray.cli.app import app

ROOT_CALL = {
    "eventVersion": "1.08",
    "eventTime": "2026-01-12T10:00:00Z",
    "eventSource": "iam.amazonaws.com",
    "eventName": "CreateUser",
    "awsRegion": "us-east-1",
    "sourceIPAddress": "198.51.100.7",
    "userAgent": "console.amazonaws.com",
    "requestParameters": {"userName": "mallory"},
    "responseElements": None,
    "eventID": "0d9a3a0c-7a3b-4d43-8b06-5d3d5f8f0001",
    "eventType": "AwsApiCall",
    "eventCategory": "Management",
    "recipientAccountId": "111122223333",
    "userIdentity": {
        "type": "Root",
        "principalId": "111122223333",
        "arn": "arn:aws:iam::111122223333:root",
        "accountId": "111122223333",
        "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
    },
}
ROOT_USE = "Policy:IAMUser/RootCredentialUsage"


def scan(*arguments: object, state: Path) -> Result:
    return CliRunner().invoke(app, ["scan", *map(str, arguments), "--state", str(state)], catch_exceptions=False)


def found(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text().splitlines()]
