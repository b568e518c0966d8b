"""An API on a new store, and clients of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from api.serving import MANAGEMENT, serving
from store.conftest import postgres

from guardray.api.activation import ListKeeper
from guardray.api.call import Settings
from guardray.api.core import Api
from guardray.detectors.loader import load_detectors
from guardray.intel.upkeep import Library
from guardray.store.database import Database

__all__ = ["postgres"]


class Clock:
    """A clock that tests move."""

    def __init__(self):
        self.now = datetime(2026, 11, 2, 9, 30, 15, 250_000, tzinfo=UTC)

    def __call__(self):
        return self.now

    def pass_(self, **how_long):
        self.now += timedelta(**how_long)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def database_kind():
    """SQLite, but where a module has it otherwise."""
    return "sqlite"


@pytest.fixture
def database(request, tmp_path, database_kind):
    url = str(tmp_path / "findings.db")
    if database_kind == "postgresql":
        server, name = request.getfixturevalue("postgres"), f"api_{uuid4().hex}"
        server.psql(f"CREATE DATABASE {name}")
        url = server.get_uri(name)
    database = Database(url)
    yield database
    database.close()


@pytest.fixture
def settings(tmp_path):
    return Settings(management_account=MANAGEMENT, list_folder=tmp_path / "lists", detectors=load_detectors(), rules=())


@pytest.fixture
def api(database, settings, clock):
    return Api(database, settings, clock=clock)


@pytest.fixture
def library(tmp_path):
    return Library(tmp_path / "data")


@pytest.fixture
def keeper(database, library, settings, clock):
    return ListKeeper(database, library, settings.list_folder, clock=clock)


@pytest.fixture
def served(api, database, keeper):
    with serving(api, database, keeper) as served:
        yield served


@pytest.fixture
def client(served):
    return served.client()


@pytest.fixture
def detector_id(client):
    return client.create_detector(Enable=True)["DetectorId"]
