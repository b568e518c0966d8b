"""Objects that must become findings at once, and how long each takes until the API shows its finding."""

from __future__ import annotations

import gzip
import json
import threading
import time
import uuid
from datetime import datetime
from pathlib import Path

from guardray.client import Client, ClientError
from tests.soak.load import Load

EVERY_S = 5.0
LOOK_S = 0.2
"""Between questions to the API: latencies are told to so much."""

GIVEN_UP_S = 120.0

_REGION = "eu-west-1"
_TYPE = "PenTest:IAMUser/KaliLinux"


class Probes(threading.Thread):
    """Delivers one call of a user that nobody has heard of, by a tool that nobody should use; then the next.

    Args:
        load: what goes on beside; probes are dated as its newest object.
        into: the folder that the service watches.

    Attributes:
        taken: when each was written, in seconds of `time.monotonic`, and seconds until its finding was seen.
        lost: those that were not seen within `GIVEN_UP_S`.
    """

    def __init__(self, load: Load, into: Path, client: Client) -> None:
        super().__init__(name="probes", daemon=True)
        self._load, self._into, self._client = load, into, client
        self._stopping = threading.Event()
        self.taken: list[tuple[float, float]] = []
        self.lost: list[str] = []

    def run(self) -> None:
        while not self._stopping.wait(EVERY_S):
            if self._load.delivered:
                self._probe(f"probe-{uuid.uuid4().hex[:12]}")

    def stop(self) -> None:
        """Probe no more."""
        self._stopping.set()
        self.join()

    def _probe(self, user: str) -> None:
        written = self._write(user)
        while (waited := time.monotonic() - written) < GIVEN_UP_S:
            if self._is_seen(user):
                self.taken.append((written, time.monotonic() - written))
                return
            if self._stopping.wait(LOOK_S):
                return
        self.lost.append(f"{user} after {waited:.0f} s")

    def _is_seen(self, user: str) -> bool:
        criterion = {"resource.accessKeyDetails.userName": {"eq": [user]}, "type": {"eq": [_TYPE]}}
        try:
            return not self._client.findings(criterion, most=1).empty
        except ClientError:  # it does not answer for the moment, and nobody sees anything then
            return False

    def _write(self, user: str) -> float:
        """Puts the object there in one step. Returns when it was there."""
        account, at = self._load.account, self._load.at
        name = f"{account}_CloudTrail_{_REGION}_{at:%Y%m%dT%H%MZ}_{uuid.uuid4().hex[:16]}.json.gz"
        target = self._into / "AWSLogs" / account / "CloudTrail" / _REGION / f"{at:%Y/%m/%d}" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        hidden = target.with_name(f".{name}")
        hidden.write_bytes(gzip.compress(json.dumps({"Records": [_call(user, account, at)]}).encode()))
        hidden.rename(target)
        return time.monotonic()


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
        "userAgent": "aws-cli/2.15.30 Python/3.11.8 Linux/6.6.9-1kali1-amd64 exe/x86_64.kali.2024",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": f"AIDA{user[-12:].upper()}",
            "arn": f"arn:aws:iam::{account}:user/{user}",
            "accountId": account,
            "accessKeyId": f"AKIA{user[-12:].upper()}",
            "userName": user,
        },
    }
