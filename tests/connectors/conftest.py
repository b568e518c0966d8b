"""A server with S3, SQS, SNS and EventBridge for all tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from aws_server import CREDENTIALS, aws_server


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server's URL, with credentials for it in the environment."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in CREDENTIALS.items():
            environment.setenv(name, value)
        with aws_server(tmp_path_factory.mktemp("aws") / "server.log") as url:
            yield url


@pytest.fixture(scope="session")
def client(aws: str) -> Callable[..., Any]:
    """A boto3 client of a service, as in `client("s3")`."""
    return lambda service, region="eu-west-1": boto3.client(service, endpoint_url=aws, region_name=region)


@pytest.fixture
def bucket(client: Callable[..., Any]) -> str:
    """A bucket of the test's own."""
    name = f"trail-{uuid4().hex[:12]}"
    client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return name


class FakeClock:
    """A time of day that tests move on."""

    def __init__(self, start: datetime = datetime(2026, 11, 20, 12, tzinfo=UTC)) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
