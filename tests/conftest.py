"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from guardray.dataflow.local import LocalEngine
from guardray.dataflow.scan import Engine, ScanSettings

# A loaded machine is slow now and then, which is no failure.
settings.register_profile("guardray", deadline=None)
settings.load_profile("guardray")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say what may run in parallel: files, whose fixtures are worth sharing, but for all that needs the one Ray."""
    for item in items:
        group = "ray" if item.get_closest_marker("ray") else item.location[0]
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real logs beside the checkout; tests that need it are skipped where it is missing."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real logs are not beside the checkout: {folder}")
    return folder


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[None]:
    """One Ray instance for the whole run."""
    from guardray.runtime.cluster import cluster

    with cluster(cpus=2):
        yield


@pytest.fixture(params=["local", pytest.param("ray", marks=pytest.mark.ray)])
def make_engine(request: pytest.FixtureRequest) -> Callable[[ScanSettings], Engine]:
    """Each engine in turn: a test that takes this runs in process and on Ray."""
    if request.param == "local":
        return LocalEngine
    request.getfixturevalue("ray_cluster")
    from guardray.runtime.engine import RayEngine

    return lambda settings: RayEngine(settings, workers=2, shards=2)
