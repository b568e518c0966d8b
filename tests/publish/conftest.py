"""Real places to publish to: AWS's services over HTTP in a process of their own, and a web server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import boto3
import pytest
from publish.hook_server import HookServer, running
from store.conftest import postgres, store_url

from guardray.findings.finding import Finding
from guardray.publish.destinations import read_destinations
from guardray.publish.sending import Failure
from guardray.store.findings import FindingStore
from guardray.store.outbox import Delivery, Outbox

__all__ = ["postgres", "store_url"]

REGION = "eu-west-1"
SECRET = "a key that is long enough for anybody"


@pytest.fixture(scope="session")
def aws() -> Iterator[Callable[[str], object]]:
    """What gives clients of a server that speaks AWS's protocols; `aws.url` is where it is."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    services = Services(f"http://127.0.0.1:{port}")
    try:
        services.wait()
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("AWS_ACCESS_KEY_ID", "test")
            environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
            environment.setenv("AWS_DEFAULT_REGION", REGION)
            yield services
        services.close()
    finally:
        server.kill()
        server.wait()


class Services:
    """Clients of a server."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._clients: dict[str, object] = {}
        self._numbers = count()

    def __call__(self, service: str):
        if service not in self._clients:
            self._clients[service] = boto3.client(service, region_name=REGION, endpoint_url=self.url)
        return self._clients[service]

    def new_name(self) -> str:
        return f"place-{next(self._numbers)}"

    def wait(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            with suppress(OSError):
                urllib.request.urlopen(f"{self.url}/moto-api/", timeout=5).close()
                return
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.1)

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


@pytest.fixture
def hooks() -> Iterator[HookServer]:
    with running() as server:
        yield server


class FakeClock:
    """A time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store_path(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'findings.db'}"


@pytest.fixture
def store(store_path: str) -> Iterator[FindingStore]:
    with FindingStore.open(store_path) as opened:
        yield opened


@pytest.fixture
def outbox(store: FindingStore, store_path: str) -> Iterator[Outbox]:
    with Outbox.open(store_path) as opened:
        yield opened


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes a file of destinations, and reads it."""
    monkeypatch.setenv("HOOK_SECRET", SECRET)

    def write(*entries: str):
        path = tmp_path / "publish.yaml"
        path.write_text("destinations:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries))
        return read_destinations(path)

    return write


@pytest.fixture
def deliveries(store_path: str, clock: FakeClock):
    """Findings as they leave the outbox."""

    def of(*findings: Finding) -> list[Delivery]:
        return [delivery_of(finding) for finding in findings]

    return of


def delivery_of(finding: Finding) -> Delivery:
    from guardray.store.rows import finding_row

    row = finding_row(finding)
    shown = {name: row[name] for name in ("account_id", "region", "type", "severity", "updated_at", "json")}
    claim = {"destination": "x", "change": 1, "first": True, "attempts": 0, "failing_since": None, "lease": "l"}
    return Delivery(finding_id=finding.id, **shown, **claim)


@contextmanager
def sender_of(destination, folder: Path = Path()):
    sender = destination.sender(folder)
    try:
        yield sender
    finally:
        sender.close()


def send(destination, deliveries: list[Delivery], now: datetime, folder: Path = Path()) -> list[Failure | None]:
    """What became of each delivery, in their order."""
    with sender_of(destination, folder) as sender:
        outcomes = {delivery.finding_id: failure for delivery, failure in sender.send(deliveries, now)}
    return [outcomes[delivery.finding_id] for delivery in deliveries]


def environment() -> dict[str, str]:
    """For processes that use the fake AWS."""
    return {**os.environ, "HOOK_SECRET": SECRET}
