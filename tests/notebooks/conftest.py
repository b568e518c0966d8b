"""One simulated account for all notebooks that a process runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardray.tuning.workspace import Workspace

ACCOUNTS = 1


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `Workspace.simulated`."""
    folder = tmp_path_factory.mktemp("simulated")
    Workspace.simulated(folder, accounts=ACCOUNTS)
    return folder


@pytest.fixture
def place(simulated: Path) -> Workspace:
    return Workspace.simulated(simulated, accounts=ACCOUNTS)


@pytest.fixture
def environment(simulated: Path) -> dict[str, str]:
    """What makes a notebook work on it."""
    return {"GUARDRAY_SIMULATED": str(simulated), "GUARDRAY_ACCOUNTS": str(ACCOUNTS)}
