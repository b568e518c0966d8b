"""A gate with a key of each role, at a time that stands still until it is moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from store.conftest import postgres, store_url

from guardray.access.gate import Gate
from guardray.access.identity import Role
from guardray.access.issue import Issued, issue
from guardray.access.rate import Rate
from guardray.access.seal import Seal, new_key
from guardray.store.access_audit import AuditLog
from guardray.store.access_keys import AccessKeys

__all__ = ["postgres", "store_url"]

ACCOUNT = "111122223333"


class Clock:
    """A time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def seal() -> Seal:
    return Seal(new_key())


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'findings.db'}"


@pytest.fixture
def keys(url: str) -> Iterator[AccessKeys]:
    with AccessKeys.open(url) as opened:
        yield opened


@pytest.fixture
def audit(url: str) -> Iterator[AuditLog]:
    with AuditLog.open(url) as opened:
        yield opened


@pytest.fixture
def new(keys: AccessKeys, seal: Seal, clock: Clock) -> Callable[..., Issued]:
    """Makes a key or token."""

    def make(role: str = "admin", *, kind: str = "signing", account_id: str = ACCOUNT, regions=None) -> Issued:
        wanted = {"account_id": account_id, "role": Role(role), "regions": regions, "actor": "local:test"}
        return issue(keys, seal, kind=kind, now=clock.now, **wanted)

    return make


@pytest.fixture
def gate(keys: AccessKeys, audit: AuditLog, seal: Seal, clock: Clock) -> Iterator[Gate]:
    with closing(Gate(keys, audit, seal, clock=clock, rate=Rate(per_s=1_000, burst=100_000))) as opened:
        yield opened


def credentials(issued: Issued) -> tuple[str, str]:
    """What a client signs with."""
    return issued.record.id, issued.secret
