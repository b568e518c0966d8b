"""A simulated account's logs in a bucket, and a queue that tells of them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest

from guardray.connectors.notifications import ObjectCreated
from guardray.sources.aws_keys import key_facts
from tests.aws_server import CREDENTIALS, aws_server
from tests.connectors.test_notifications import s3_message

BUCKET = "trail-of-chaos"
REGION = "eu-west-1"
DISORDER = 40
"""How many places a message may come before its turn: an hour of the simulated day."""


class Trail:
    """A bucket with all logs, and a queue.

    Args:
        endpoint: of S3 and SQS.
        logs: the folder that is put into the bucket.
    """

    def __init__(self, endpoint: str, logs: Path) -> None:
        self._queue = boto3.client("sqs", endpoint_url=endpoint, region_name=REGION)
        self.url: str = self._queue.create_queue(QueueName="trail")["QueueUrl"]
        self._endpoint = endpoint
        self.objects = self._upload(logs)

    def _upload(self, logs: Path) -> list[ObjectCreated]:
        """What S3 tells of the objects, in the order of their dates."""
        s3 = boto3.client("s3", endpoint_url=self._endpoint, region_name=REGION)
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        told = []
        for file in logs.rglob("*.gz"):
            key, body = f"AWSLogs/{file.relative_to(logs).as_posix()}", file.read_bytes()
            s3.put_object(Bucket=BUCKET, Key=key, Body=body)
            told.append(ObjectCreated(bucket=BUCKET, key=key, size=len(body)))
        return sorted(told, key=lambda one: str(key_facts(one.key).time))

    def source(self, visibility: str) -> dict[str, Any]:
        """As a configuration has it."""
        options = {"region": REGION, "endpoint": self._endpoint, "wait_s": 1, "max_receives": 1000}
        return {"url": self.url, "options": options | {"visibility": visibility}}

    def tell(self, objects: Sequence[ObjectCreated], chance: random.Random) -> int:
        """Send messages out of order, of one to three objects, some of them again and again. Returns how many."""
        order = sorted(range(len(objects)), key=lambda place: place + chance.uniform(0, DISORDER))
        messages: list[str] = []
        start = 0
        while start < len(order):
            several = chance.randint(1, 3)
            message = json.dumps(s3_message(*(objects[place] for place in order[start : start + several])))
            messages += [message] * chance.choice([1, 1, 1, 1, 2, 3])
            start += several
        for first in range(0, len(messages), 10):
            batch = [{"Id": str(place), "MessageBody": text} for place, text in enumerate(messages[first : first + 10])]
            self._queue.send_message_batch(QueueUrl=self.url, Entries=batch)
        return len(messages)

    def left(self) -> int:
        """Messages that are in the queue, those that somebody works on too."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = self._queue.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(map(int, told.values()))


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The endpoint of S3 and SQS, with credentials for them in the environment."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with aws_server(tmp_path / "aws.log") as url:
        yield url
