"""Objects that must become a finding at once: one call of a user that nobody has heard of, by a tool of attackers."""

from __future__ import annotations

import gzip
import json
import time
import uuid
from datetime import datetime
from pathlib import Path

from guardray.client import Client, ClientError

_REGION = "eu-west-1"
_TYPE = "PenTest:IAMUser/KaliLinux"
_USER_AGENT = "aws-cli/2.15.30 Python/3.11.8 Linux/6.6.9-1kali1-amd64 exe/x86_64.kali.2024"


def write_probe(into: Path, account: str, at: datetime) -> tuple[str, float]:
    """Put an object into a watched folder, in one step.

    Args:
        account: whose call it is.
        at: the date of the call and of the object's name.

    Returns:
        The user's name, and when the object was there, by `time.monotonic`.
    """
    user = f"probe-{uuid.uuid4().hex[:12]}"
    name = f"{account}_CloudTrail_{_REGION}_{at:%Y%m%dT%H%MZ}_{uuid.uuid4().hex[:16]}.json.gz"
    target = into / "AWSLogs" / account / "CloudTrail" / _REGION / f"{at:%Y/%m/%d}" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    hidden = target.with_name(f".{name}")
    hidden.write_bytes(gzip.compress(json.dumps({"Records": [_call(user, account, at)]}).encode()))
    hidden.rename(target)
    return user, time.monotonic()


def is_seen(client: Client, user: str) -> bool:
    """Whether the API shows the finding of a probe; not while it does not answer."""
    criterion = {"resource.accessKeyDetails.userName": {"eq": [user]}, "type": {"eq": [_TYPE]}}
    try:
        return not client.findings(criterion, most=1).empty
    except ClientError:
        return False


def _call(user: str, account: str, at: datetime) -> dict[str, object]:
    return {
        "eventVersion": "1.11",
        "eventID": str(uuid.uuid4()),
        "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "iam.amazonaws.com",
        "eventName": "GetUser",
        "eventType": "AwsApiCall",
        "eventCategory": "Management",
        "managementEvent": True,
        "readOnly": True,
        "awsRegion": _REGION,
        "recipientAccountId": account,
        "sourceIPAddress": "198.51.100.7",
        "userAgent": _USER_AGENT,
        "userIdentity": {
            "type": "IAMUser",
            "principalId": f"AIDA{user[-12:].upper()}",
            "arn": f"arn:aws:iam::{account}:user/{user}",
            "accountId": account,
            "accessKeyId": f"AKIA{user[-12:].upper()}",
            "userName": user,
        },
    }
