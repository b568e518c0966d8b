"""How far sources were read comes back as it was written, and what has not changed is not written again."""

from __future__ import annotations

from sqlalchemy import select

from guardray.store.database import Database
from guardray.store.service_position import forget_position, read_position, save_position
from guardray.store.service_schema import POSITION_BLOCKS


def position(*texts: str) -> dict:
    """Of two sources, one in blocks."""
    return {"kind": "many", "sources": {"a": {"kind": "folder", "blocks": list(texts)}, "b": {"at": 3}}}


def written(connection) -> dict[str, int]:
    """SQLite's number of each row, which is another one when it was written again."""
    columns = POSITION_BLOCKS.c
    return dict(connection.exec_driver_sql(f"SELECT {columns.content.name}, rowid FROM {POSITION_BLOCKS.name}").all())


def test_a_position_comes_back_and_its_blocks_are_written_once(tmp_path):
    database = Database(str(tmp_path / "findings.db"))
    with database.writing() as connection:
        assert read_position(connection) is None
        save_position(connection, 1, position("[1]", "[2]"))
        before = written(connection)
        save_position(connection, 2, position("[1]", "[2,3]", "[1]"))
        after = written(connection)
        assert read_position(connection) == position("[1]", "[2,3]", "[1]")
    assert after["[1]"] == before["[1]"]
    assert after.keys() == {"[1]", "[2,3]"}


def test_a_position_that_is_forgotten_leaves_nothing(tmp_path):
    database = Database(str(tmp_path / "findings.db"))
    with database.writing() as connection:
        save_position(connection, 1, position("[1]"))
        forget_position(connection)
        assert read_position(connection) is None
        assert connection.scalars(select(POSITION_BLOCKS.c.digest)).all() == []
