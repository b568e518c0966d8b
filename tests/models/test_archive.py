"""The archive: what is kept, once, and no more than there is room for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from models.specs import ACCOUNT, FIRST, NAMES, OTHER, SPEC, measured, usual_features

from guardray.models.archive import Archive
from guardray.models.sampling import A_PRINCIPAL, AN_ACCOUNT


@pytest.fixture
def archive(tmp_path):
    return Archive(tmp_path / "archive")


def rows_of(many: int, seed: int = 0, **changes) -> pl.DataFrame:
    return measured(usual_features(np.random.default_rng(seed), many), FIRST, **changes)


def files(archive: Archive) -> list[str]:
    return sorted(str(path.relative_to(archive.root)) for path in archive.root.rglob("*.parquet"))


def test_rows_come_back_as_they_were_kept(archive):
    rows = rows_of(5)
    assert archive.add(SPEC, rows) == 5
    read = archive.read(SPEC)
    assert read.schema == pl.Schema(Archive.columns(SPEC))
    assert read.select(NAMES).equals(rows.sort("digest").select(NAMES))
    assert read["account"].unique().to_list() == [ACCOUNT]
    assert read["whose"].unique().to_list() == ["alice"]
    assert read["day"].unique().to_list() == [FIRST]


def test_a_day_that_is_kept_twice_is_the_same_file(archive):
    archive.add(SPEC, rows_of(5))
    once = files(archive)
    archive.add(SPEC, rows_of(5).reverse())
    assert files(archive) == once
    assert len(once) == 1
    assert once[0].startswith(f"tried-calls/{SPEC.definition}/account={ACCOUNT}/day={FIRST}/part-")


def test_rows_of_one_day_that_come_from_two_shards_are_both_kept(archive):
    archive.add(SPEC, rows_of(5, who="alice"))
    archive.add(SPEC, rows_of(5, who="bob"))
    assert archive.read(SPEC)["whose"].value_counts().sort("whose").rows() == [("alice", 5), ("bob", 5)]


def test_flags_are_kept_and_without_any_nothing_was_flagged(archive):
    archive.add(SPEC, rows_of(2).with_columns(flagged=pl.Series([True, None])))
    archive.add(SPEC, rows_of(2, account=OTHER).drop("flagged"))
    assert archive.read(SPEC)["flagged"].to_list() == [True, False, False, False]


def test_rows_without_an_account_are_passed_over(archive):
    rows = rows_of(3).with_columns(cloud_account_uid=pl.Series([ACCOUNT, None, ACCOUNT], dtype=pl.String))
    assert archive.add(SPEC, rows) == 2


def test_an_account_whose_name_is_no_file_name_is_kept_inside_the_folder(archive):
    archive.add(SPEC, rows_of(1, account="../../etc"))
    assert archive.accounts(SPEC) == ["../../etc"]
    assert archive.read(SPEC)["account"].to_list() == ["../../etc"]
    assert all(".." not in path.split("/") for path in files(archive))


def test_a_part_that_is_damaged_is_told_of_and_the_others_are_read(archive):
    archive.add(SPEC, rows_of(3))
    archive.add(SPEC, rows_of(3, account=OTHER))
    path = archive.root / files(archive)[0]
    path.write_bytes(path.read_bytes()[:50])
    assert archive.read(SPEC)["account"].unique().to_list() == [OTHER]
    assert next(iter(archive.problems.values())).path == str(path)


def test_periods_and_accounts_are_chosen(archive):
    for at in range(5):
        for account in (ACCOUNT, OTHER):
            archive.add(SPEC, measured(np.zeros((1, 4)), FIRST + timedelta(days=at), account))
    chosen = archive.read(SPEC, since=FIRST + timedelta(days=1), until=FIRST + timedelta(days=2), account=OTHER)
    assert chosen.select("account", "day").rows() == [(OTHER, FIRST + timedelta(days=at)) for at in (1, 2)]


def test_old_days_are_let_go_of(archive):
    for at in range(5):
        archive.add(SPEC, measured(np.zeros((1, 4)), FIRST + timedelta(days=at)))
    assert archive.keep_latest(FIRST + timedelta(days=4), days=2) == 2
    assert archive.days(SPEC) == [FIRST + timedelta(days=at) for at in (2, 3, 4)]


def test_a_busy_principal_fills_no_more_than_its_room_and_its_most_unusual_rows_stay(archive):
    features = usual_features(np.random.default_rng(0), 1000)
    features[700] = 20.0
    assert archive.add(SPEC, measured(features, FIRST)) == A_PRINCIPAL
    kept = archive.read(SPEC)
    assert kept.select(NAMES).max().row(0) == (20.0,) * 4
    assert kept["weight"].sum() == pytest.approx(1000)


def test_an_account_of_many_principals_fills_no_more_than_its_room(archive):
    rows = [measured(np.ones((1, 4)), FIRST, who=f"p{at}", first=at) for at in range(AN_ACCOUNT + 500)]
    assert archive.add(SPEC, pl.concat(rows)) == AN_ACCOUNT


def test_the_sample_is_the_same_in_any_order(tmp_path):
    rows = rows_of(500)
    one, other = Archive(tmp_path / "one"), Archive(tmp_path / "other")
    one.add(SPEC, rows)
    other.add(SPEC, rows.sample(fraction=1, shuffle=True, seed=1))
    assert files(one) == files(other)


def test_an_account_is_watched_since_its_first_row_of_any_kind(archive):
    other = replace(SPEC, name="other-calls")
    archive.add(other, measured(np.zeros((1, 4)), FIRST))
    archive.add(SPEC, measured(np.zeros((1, 4)), FIRST + timedelta(days=3)))
    archive.add(SPEC, measured(np.zeros((1, 4)), FIRST + timedelta(days=5), account=OTHER))
    assert archive.watched_since() == {ACCOUNT: FIRST, OTHER: FIRST + timedelta(days=5)}


def test_a_kind_of_rows_has_a_share_of_all(archive):
    other = replace(SPEC, name="other-calls")
    assert archive.share(SPEC) == 0
    archive.add(SPEC, rows_of(60))
    assert archive.share(SPEC) == 1
    for at in range(3):
        archive.add(other, measured(usual_features(np.random.default_rng(at), 60), FIRST + timedelta(days=at)))
    assert 0.2 < archive.share(SPEC) < 0.3
    assert archive.share(SPEC) + archive.share(other) == pytest.approx(1)
