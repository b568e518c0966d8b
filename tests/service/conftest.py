"""A simulated account, and what a scan finds in it: what every run of the service has to come to."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from guardray.dataflow.local import LocalEngine
from guardray.dataflow.report import report
from guardray.dataflow.scan import Observer
from guardray.simulate.rates import Rates
from guardray.simulate.run import simulate
from guardray.sources.objects import KeyFilter, locate
from tests.service.running import Plain, plain, settings_of


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a simulated day, with attacks in it."""
    folder = tmp_path_factory.mktemp("account") / "logs"
    simulate(folder, accounts=1, days=1, seed=5, rate=Rates.named("quiet"))
    return folder


@pytest.fixture(scope="session")
def scanned(account: Path) -> Plain:
    """What a scan of it finds."""
    settings = settings_of(account)
    result = LocalEngine(settings).scan(locate([str(account / "AWSLogs")], KeyFilter()), Observer())
    findings, problems = report(result, settings, datetime.now(UTC))
    assert not problems
    return plain(findings)


@pytest.fixture
def state(tmp_path: Path) -> dict[str, Any]:
    """Where a service keeps what it knows."""
    return {"store_url": str(tmp_path / "findings.db"), "checkpoints_url": str(tmp_path / "checkpoints")}
