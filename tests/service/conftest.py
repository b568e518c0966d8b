"""A simulated account, and what a scan finds in it: what every run of the service has to come to."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from once import Once

from guardray.dataflow.local import LocalEngine
from guardray.dataflow.report import report
from guardray.dataflow.scan import Observer, ScanSettings
from guardray.simulate.rates import Rates
from guardray.simulate.run import simulate
from guardray.sources.objects import KeyFilter, locate
from tests.service.running import Plain, plain, settings_of


@pytest.fixture(scope="session")
def account(once: Once) -> Path:
    """The folder of a simulated day, with attacks in it."""
    rate = Rates.named("quiet")
    return once.folder("account", lambda folder: simulate(folder, accounts=1, days=1, seed=5, rate=rate))


@pytest.fixture(scope="session")
def settings(account: Path) -> ScanSettings:
    """What to look for in it: all finding types."""
    return settings_of(account)


@pytest.fixture(scope="session")
def scanned(once: Once, account: Path, settings: ScanSettings) -> Plain:
    """What a scan of it finds."""

    def scan() -> Plain:
        result = LocalEngine(settings).scan(locate([str(account / "AWSLogs")], KeyFilter()), Observer())
        findings, problems = report(result, settings, datetime.now(UTC))
        assert not problems
        return plain(findings)

    return once.value(f"scanned-{account.name}", scan)


@pytest.fixture
def state(tmp_path: Path) -> dict[str, Any]:
    """Where a service keeps what it knows."""
    return {"store_url": str(tmp_path / "findings.db"), "checkpoints_url": str(tmp_path / "checkpoints")}
