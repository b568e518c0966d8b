"""Small logs to read, and reading them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from guardray.schema import SCHEMAS
from guardray.sources.objects import InputObject
from guardray.sources.reader import Batch, Counts, Done, Reader
from guardray.sources.set_aside import SetAside

ACCOUNT = "111122223333"
USER = {
    "type": "IAMUser",
    "principalId": "AIDAEXAMPLE",
    "arn": f"arn:aws:iam::{ACCOUNT}:user/alice",
    "accountId": ACCOUNT,
    "accessKeyId": "AKIAEXAMPLE",
    "userName": "alice",
}
ROLE = {
    "type": "AssumedRole",
    "principalId": "AROAEXAMPLE:session",
    "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/session",
    "accountId": ACCOUNT,
    "accessKeyId": "ASIAEXAMPLE",
    "sessionContext": {
        "sessionIssuer": {
            "type": "Role",
            "principalId": "AROAEXAMPLE",
            "arn": f"arn:aws:iam::{ACCOUNT}:role/deployer",
            "accountId": ACCOUNT,
            "userName": "deployer",
        },
        "attributes": {"creationDate": "2024-05-01T10:00:00Z", "mfaAuthenticated": "false"},
    },
}
BASE = {
    "eventVersion": "1.09",
    "userIdentity": USER,
    "eventTime": "2024-05-01T10:30:00Z",
    "eventSource": "iam.amazonaws.com",
    "eventName": "ListUsers",
    "awsRegion": "us-east-1",
    "sourceIPAddress": "198.51.100.7",
    "userAgent": "aws-cli/2.15",
    "requestParameters": None,
    "responseElements": None,
    "requestID": "r-1",
    "eventID": "e-1",
    "readOnly": True,
    "eventType": "AwsApiCall",
    "managementEvent": True,
    "recipientAccountId": ACCOUNT,
    "eventCategory": "Management",
}


def event(without: Iterable[str] = (), **changes: Any) -> dict[str, Any]:
    """A CloudTrail record, changed in what matters."""
    return {name: value for name, value in (BASE | changes).items() if name not in set(without)}


def log_file(*events: Any) -> bytes:
    """A file as CloudTrail writes it."""
    return json.dumps({"Records": events}, separators=(",", ":")).encode()


def json_lines(*events: Any) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


@dataclass
class Result:
    """All that came out of a reader."""

    batches: list[Batch] = field(default_factory=list)
    aside: list[SetAside] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)

    @property
    def frame(self) -> pl.DataFrame:
        """All rows, of the one schema that there is."""
        return pl.concat([batch.frame for batch in self.batches])

    @property
    def reasons(self) -> list[str]:
        return [row.reason for row in self.aside]


def read(reader: Reader, objects: Iterable[InputObject]) -> Result:
    """Read all, and check on the way what holds of every output."""
    result = Result()
    for item in reader.read(objects):
        match item:
            case Batch(schema, frame):
                assert frame.schema == SCHEMAS[schema.name].polars
                result.batches.append(item)
            case SetAside():
                result.aside.append(item)
            case Done(obj):
                result.done.append(obj.url)
        counts = reader.counts
        assert counts.read == counts.normalised + counts.set_aside + counts.empty + counts.passed_over
    result.counts = reader.counts
    assert result.counts.normalised == sum(batch.frame.height for batch in result.batches)
    assert result.counts.set_aside == sum(row.is_row for row in result.aside)
    return result


def read_bytes(folder: Path, *contents: bytes, reader: Reader | None = None) -> Result:
    """Write each of these to a file and read them all."""
    objects = []
    for number, content in enumerate(contents):
        path = folder / f"object-{number}"
        path.write_bytes(content)
        objects.append(InputObject(url=str(path), size=len(content)))
    return read(reader or Reader(), objects)
