"""What the board keeps does not grow with time, and what it gave to a checkpoint is what it goes on from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pyarrow as pa

from guardray.dataflow.event_time import END_OF_TIME, microseconds
from guardray.inventory import FACTS
from guardray.service.board import ASKED_BACK, Board, cut

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)


def instances(first: int, count: int) -> pl.DataFrame:
    """One that begins each hour and ends an hour later."""
    place = {"cloud_account_uid": "111122223333", "cloud_region": "eu-west-1"}
    rows = [
        place | {"time": BEGIN + timedelta(hours=hour + later), "kind": kind, "instance_uid": f"i-{hour}"}
        for hour in range(first, first + count)
        for later, kind in ((0, "instance"), (1, "ended"))
    ]
    return pl.DataFrame(rows, schema=FACTS)


def test_instances_that_come_and_go_for_a_year_do_not_fill_the_memory():
    board = Board(FACTS.to_frame())
    sizes = []
    for day in range(365):
        board.learn(instances(24 * day, 24))
        board.compact(microseconds(BEGIN + timedelta(days=day + 1)))
        sizes.append(len(board.inventory))
    assert max(sizes) < 1.5 * max(1_000, 2 * 24 * ASKED_BACK.days)
    assert f"i-{365 * 24 - 1}" in board.inventory.facts["instance_uid"]


def test_nothing_is_forgotten_at_the_end_of_a_run_nor_before_any_event_was_read():
    board = Board(instances(0, 1000))
    for watermark in (-END_OF_TIME, END_OF_TIME):
        board.compact(watermark)
    assert len(board.inventory) == 2000


def test_facts_go_into_a_checkpoint_by_months_so_that_old_ones_are_not_written_again():
    board = Board(instances(0, 24 * 80))
    tables = board.export()
    pieces = cut("assets", tables["assets"])
    assert len(pieces) == 3
    board.learn(instances(24 * 80, 1))
    again = cut("assets", board.export()["assets"])
    assert all(old.equals(new) for old, new in zip(pieces[:2], again, strict=False))
    restored = Board.restore(tables | {"assets": pa.concat_tables(pieces)}, ())
    assert restored.inventory.facts.equals(Board(instances(0, 24 * 80)).inventory.facts)


def test_no_facts_are_one_piece():
    (piece,) = cut("assets", Board(FACTS.to_frame()).export()["assets"])
    assert piece.num_rows == 0
