"""Opening a store: the connection, its locks, its errors, and a schema that this program can use."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Engine,
    FromClause,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from guardray.errors import OlderStoreError, StoreError
from guardray.store import migrations
from guardray.store.criteria import sqlite as sqlite_criteria
from guardray.store.schema import REVISION, VERSION_TABLE
from guardray.store.tables import METADATA, TABLES

_OLDER = (
    "an older guardray made this store and may be using it, so looking at it does not change it: `guardray serve`, or a"
    " scan with --store, of this version brings it up to date, once the older program has ended"
)
_BUSY_TIMEOUT_S = 30
_CACHE_KIB = 64 * 1024
_BUSY_PAUSE_S = 0.02
_CONNECT_TIMEOUT_S = 10
_ADVISORY_LOCK = 0x67756172  # any number that other programs in the database do not use
_VERSION = Table(VERSION_TABLE, MetaData(), Column("version_num", String(32), primary_key=True))


class Database:
    """SQLite or PostgreSQL with the tables of this program. Every SQL error comes out as a StoreError.

    Args:
        url: a path, `sqlite:///path` or `postgresql://user@host/database`.
        durable: what is committed outlives a power cut in SQLite too, which then waits for the disk at each commit.
        migrate: an older store is brought to this program's schema; otherwise OlderStoreError says that it is older.
    """

    def __init__(self, url: str, *, durable: bool = False, migrate: bool = True) -> None:
        parsed = _parsed(url)
        self.location = parsed.database or "" if _is_sqlite(parsed) else parsed.render_as_string(hide_password=True)
        with self._errors():
            self._engine = _engine(parsed, durable)
        try:
            self._prepare(migrate)
        except StoreError:
            self.close()
            raise

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction for looking, which neither waits for writers nor holds them up."""
        with self._errors(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that no other writer runs beside; an exception takes all of it back."""
        writer = self._engine.execution_options(guardray_writes=True)
        with self._errors(), writer.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK})
            yield connection

    def close(self) -> None:
        self._engine.dispose()

    def _prepare(self, migrate: bool) -> None:
        with self.reading() as connection:
            revision = _revision(connection)
            if revision == REVISION:
                return
            if revision is not None and not migrate:
                migrations.check_known(connection, revision)
                raise OlderStoreError(_OLDER)
        with self.writing() as connection:
            # Looked at again: another process may have prepared the store while this one waited.
            revision = _revision(connection)
            if revision is None:
                _create(connection)
            elif revision != REVISION:
                migrations.upgrade(connection, revision)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except StoreError as error:
            raise type(error)(f"{self.location}: {error}") from error
        except DBAPIError as error:
            raise StoreError(f"{self.location}: {_first_line(error.orig)}") from error
        except SQLAlchemyError as error:
            raise StoreError(f"{self.location}: {_first_line(error)}") from error


def _parsed(url: str) -> URL:
    if url and "://" not in url:
        return URL.create("sqlite", database=url)
    scheme, _, rest = url.partition("://")
    try:
        match scheme:
            case "sqlite" if rest.startswith("/") and len(rest) > 1:
                return make_url(url)
            case "postgresql" | "postgres" | "postgresql+psycopg":
                return make_url(f"postgresql+psycopg://{rest}")
    except (SQLAlchemyError, ValueError):
        pass
    shown = f"{scheme}://…" if "@" in rest else url or "''"  # not the password
    raise StoreError(f"{shown}: a store is a path, sqlite:///path or postgresql://user@host/database")


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _engine(url: URL, durable: bool) -> Engine:
    if _is_sqlite(url):
        engine = create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_S})
        engine.dialect.statement_compiler = _HintingCompiler
        event.listen(engine, "connect", _set_up_durable_sqlite if durable else _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return create_engine(url, connect_args={"connect_timeout": _CONNECT_TIMEOUT_S}, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise StoreError(f"PostgreSQL needs the module {error.name}: pip install 'guardray[postgres]'") from error


class _HintingCompiler(SQLiteCompiler):
    """SQLAlchemy leaves hints of SQLite out: `INDEXED BY` comes after the name of the table, as hints do by default."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:
        return text


def _set_up_sqlite(connection: Any, record: Any) -> None:
    # The driver would begin transactions by itself, too late and never for DDL; _begin_sqlite does it instead.
    connection.isolation_level = None
    _use_wal(connection)
    connection.execute("PRAGMA synchronous = NORMAL")  # in WAL mode a power cut loses commits, never consistency
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")  # what is sorted in it is not written to a file meanwhile
    sqlite_criteria.install(connection)


def _set_up_durable_sqlite(connection: Any, record: Any) -> None:
    _set_up_sqlite(connection, record)
    connection.execute("PRAGMA synchronous = FULL")


def _use_wal(connection: Any) -> None:
    # SQLite does not wait here: of processes that open a new file together, all but one are told that it is locked.
    deadline = time.monotonic() + _BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_BUSY_PAUSE_S)


def _begin_sqlite(connection: Connection) -> None:
    # A write lock taken at the start: one taken later, after a read, fails at once where another writer was faster.
    writes = connection.get_execution_options().get("guardray_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.scalar(select(_VERSION.c.version_num))


def _create(connection: Connection) -> None:
    """The newest schema in one step; a test holds it equal to what the migrations lead to."""
    found = set(inspect(connection).get_table_names())
    # A PostgreSQL database is often shared. A SQLite file is one program's, and this one is not ours.
    foreign = found if connection.dialect.name == "sqlite" else found & METADATA.tables.keys()
    if foreign:
        raise StoreError(f"not a guardray store: it holds another program's tables ({', '.join(sorted(foreign))})")
    METADATA.create_all(connection, tables=TABLES, checkfirst=False)
    _VERSION.create(connection)
    connection.execute(_VERSION.insert(), {"version_num": REVISION})


def _first_line(error: BaseException | None) -> str:
    return str(error).strip().partition("\n")[0]
