"""Opening a store: schemas old and new, and every way in which it can fail."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from finding_examples import NOW, c2_domain, one_of_each
from sqlalchemy import NullPool, create_engine, inspect, text

from guardray.errors import OlderStoreError, StoreError
from guardray.store import migrations
from guardray.store.database import Database
from guardray.store.findings import FindingStore
from guardray.store.schema import METADATA, REVISION, VERSION_TABLE


@contextmanager
def connected(url: str):
    """A transaction beside the store's own code."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)
    with engine.begin() as connection:
        yield connection


def shape(url: str) -> dict[str, object]:
    """What a database holds, as it says itself."""
    with connected(url) as connection:
        inspector = inspect(connection)
        return {table: shape_of_table(inspector, table) for table in sorted(inspector.get_table_names())}


def shape_of_table(inspector, table: str) -> object:
    return (
        [(column["name"], str(column["type"]), column["nullable"]) for column in inspector.get_columns(table)],
        inspector.get_pk_constraint(table)["constrained_columns"],
        sorted((index["name"], tuple(index["column_names"])) for index in inspector.get_indexes(table)),
        [(key["constrained_columns"], key["options"]) for key in inspector.get_foreign_keys(table)],
    )


def test_the_newest_migration_is_the_schemas_revision():
    config = Config()
    config.set_main_option("script_location", "guardray.store:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == REVISION


def test_migrating_from_nothing_gives_the_schema_that_a_new_store_gets(store_url):
    with connected(store_url) as connection:
        migrations.upgrade(connection, None)
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, METADATA) == []
    migrated = shape(store_url)
    with connected(store_url) as connection:
        METADATA.drop_all(connection)
        connection.execute(text(f"DROP TABLE {VERSION_TABLE}"))
    FindingStore.open(store_url).close()
    assert shape(store_url) == migrated


def test_who_only_looks_leaves_an_older_store_as_it_is_and_says_so(store_url):
    config = Config()
    config.set_main_option("script_location", "guardray.store:migrations")
    _, before, *_ = ScriptDirectory.from_config(config).walk_revisions()
    with connected(store_url) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, before.revision)
    old = shape(store_url)
    with pytest.raises(OlderStoreError, match="looking at it does not change it: `guardray serve`"):
        Database(store_url, migrate=False)
    assert shape(store_url) == old
    Database(store_url).close()
    Database(store_url, migrate=False).close()


def test_a_migrated_store_opens_and_works(store_url):
    with connected(store_url) as connection:
        migrations.upgrade(connection, None)
    with FindingStore.open(store_url) as store:
        store.commit(one_of_each(), epoch="a", now=NOW)
        assert len(store.findings()) == 4


def test_a_store_of_a_newer_program_is_refused_untouched(store_url):
    FindingStore.open(store_url).close()
    with connected(store_url) as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(StoreError, match="'9999' is of a newer guardray"):
        FindingStore.open(store_url)
    with connected(store_url) as connection:
        assert connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}")) == "9999"


def test_a_store_is_kept_when_it_is_opened_again(store_url):
    with FindingStore.open(store_url) as store:
        store.commit([c2_domain()], epoch="a", now=NOW)
    with FindingStore.open(store_url) as store:
        assert store.findings() == [c2_domain()]


def test_a_plain_path_is_a_sqlite_file_that_readers_do_not_block(tmp_path):
    path = tmp_path / "my findings.db"
    with FindingStore.open(str(path)) as store:
        store.commit([c2_domain()], epoch="a", now=NOW)
    with closing(Database(str(path))) as database, database.writing() as writing:
        writing.execute(text("DELETE FROM findings"))
        with database.reading() as reading:
            assert reading.scalar(text("SELECT count(*) FROM findings")) == 1
            assert reading.scalar(text("PRAGMA journal_mode")) == "wal"


def test_deleting_a_finding_deletes_its_evidence(store_url):
    with FindingStore.open(store_url) as store:
        store.commit(one_of_each(), epoch="a", now=NOW)
    with closing(Database(store_url)) as database, database.writing() as connection:
        connection.execute(text("DELETE FROM findings"))
        assert connection.scalar(text("SELECT count(*) FROM evidence")) == 0


def not_a_database(folder):
    (folder / "notes.txt").write_text("not a database at all, but long enough to look like one\n" * 40)
    return str(folder / "notes.txt"), "file is not a database"


def missing_folder(folder):
    return f"sqlite:///{folder}/missing/findings.db", "unable to open database file"


def folder_for_a_file(folder):
    return str(folder), "unable to open database file"


def another_programs_database(folder):
    with closing(sqlite3.connect(folder / "cookies.db")) as connection:
        connection.execute("CREATE TABLE cookies (name TEXT)")
    return str(folder / "cookies.db"), r"not a guardray store: it holds another program's tables \(cookies\)"


def version_without_tables(folder):
    with closing(sqlite3.connect(folder / "odd.db")) as connection:
        connection.execute(f"CREATE TABLE {VERSION_TABLE} (other TEXT)")
    return str(folder / "odd.db"), "no such column"


@pytest.mark.parametrize(
    "broken", [not_a_database, missing_folder, folder_for_a_file, another_programs_database, version_without_tables]
)
def test_a_path_that_cannot_be_a_store_is_named_with_the_reason(broken, tmp_path):
    url, reason = broken(tmp_path)
    with pytest.raises(StoreError, match=reason) as caught:
        FindingStore.open(url)
    message = str(caught.value)
    assert message.startswith(url.removeprefix("sqlite:///"))
    assert "\n" not in message


def test_a_damaged_store_fails_with_one_line(tmp_path):
    FindingStore.open(str(tmp_path / "a.db")).close()
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("DROP TABLE evidence")
    with FindingStore.open(str(tmp_path / "a.db")) as store, pytest.raises(StoreError, match="no such table"):
        store.commit([c2_domain()], epoch="a", now=NOW)


@pytest.mark.parametrize(
    "url",
    ["", "mysql://root:secret@db/x", "sqlite://", "sqlite:///", "://", "postgresql://u:secret@h:port/x", "s3://b/k"],
)
def test_another_kind_of_url_is_answered_with_the_known_ones(url):
    with pytest.raises(StoreError, match="a store is a path, sqlite:///path or postgresql://") as caught:
        FindingStore.open(url)
    assert "secret" not in str(caught.value)


def test_an_unreachable_server_is_named_without_its_password():
    with pytest.raises(StoreError, match=r"^postgresql\+psycopg://user:\*\*\*@127.0.0.1:1/x: ") as caught:
        FindingStore.open("postgresql://user:secret@127.0.0.1:1/x")
    assert "secret" not in str(caught.value)


def test_a_shared_postgresql_database_may_hold_other_tables_but_not_of_our_names(postgres):
    postgres.psql("CREATE DATABASE shared")
    postgres.psql("CREATE DATABASE taken")
    with connected(postgres.get_uri("shared")) as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num TEXT)"))
    FindingStore.open(postgres.get_uri("shared")).close()
    with connected(postgres.get_uri("taken")) as connection:
        connection.execute(text("CREATE TABLE findings (id TEXT)"))
    with pytest.raises(StoreError, match=r"another program's tables \(findings\)"):
        FindingStore.open(postgres.get_uri("taken"))


def test_postgresql_without_its_driver_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"pip install 'guardray\[postgres\]'"):
        FindingStore.open("postgresql://localhost/x")


def test_a_new_store_opens_fast_and_without_alembic(tmp_path):
    code = f"""
import sys, time
from guardray.store.findings import FindingStore
start = time.perf_counter()
FindingStore.open({str(tmp_path / "new.db")!r}).close()
assert "alembic" not in sys.modules
print(time.perf_counter() - start)
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(answer.stdout) < 0.5
