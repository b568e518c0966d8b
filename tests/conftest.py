"""Fixtures that every test may use."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from once import Once

from guardray.dataflow.local import LocalEngine
from guardray.dataflow.scan import Engine, ScanSettings

# A loaded machine is slow now and then, which is no failure.
settings.register_profile("guardray", deadline=None)
settings.load_profile("guardray")


LONG = ("tests/service/", "tests/dataflow/", "tests/store/", "tests/api/", "tests/cli/")
"""Folders of files that take longer than others of as many tests."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say what may run in parallel: files, whose fixtures are worth sharing, but for all that needs the one Ray."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    if hasattr(config, "workerinput"):
        _longest_first(items)


def _group(item: pytest.Item) -> str:
    return "ray" if item.get_closest_marker("ray") else item.location[0]


def _longest_first(items: list[pytest.Item]) -> None:
    """One process that is left alone with what takes minutes would make the others wait for it."""
    counts = Counter(map(_group, items))
    slow = {_group(item) for item in items if item.get_closest_marker("slow")}

    def place(item: pytest.Item) -> tuple[bool, bool, bool, int, str]:
        group = _group(item)
        return group != "ray", group not in slow, not group.startswith(LONG), -counts[group], group

    items.sort(key=place)


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """What the processes of a run make once."""
    base = tmp_path_factory.getbasetemp()
    return Once((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "once")


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
