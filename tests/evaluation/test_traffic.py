"""Captures become days, and what is told of them is counted."""

from __future__ import annotations

import gzip
from datetime import timedelta

import polars as pl
import pytest

from guardray.errors import UsageError
from guardray.evaluation.captures import FIRST_DAY, as_days, on_day, read
from guardray.evaluation.traffic import JUDGED, judged, tables
from guardray.evaluation.variants import Variant

HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action tcp-flags"
)
MIDNIGHT = int(FIRST_DAY.timestamp())
HOURS = 14


def record(at: int, port: int, client: int, size: int = 4000, packets: int = 9, flags: str = "3") -> str:
    return f"5 9 eni-1 10.0.0.5 203.0.113.9 {client} {port} 6 {packets} {size} {at} {at + 60} ACCEPT {flags}"


def written(path, records: list[str]):
    path.write_bytes(gzip.compress("\n".join([HEADER, *records, ""]).encode()))
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A host that uses the web every five minutes for fourteen hours, and port 8443 once in each half."""
    web = [record(1_000_000 + 300 * n, 443, 32768 + 37 * n % 20000) for n in range(12 * HOURS)]
    other = [record(1_000_000 + 3600 * hour, 8443, 40000 + hour) for hour in (1, HOURS - 1)]
    return written(tmp_path_factory.mktemp("home") / "home.log.gz", web + other)


@pytest.fixture(scope="module")
def attacks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("attacks")
    miner = [record(500 + 600 * n, 3333, 40000, size=600, packets=1) for n in range(4)]
    probes = [record(500 + n, 23, 40000 + n, size=46, packets=1, flags="2") for n in range(30)]
    return written(folder / "miner.log.gz", miner), written(folder / "worm.log.gz", probes)


def test_the_first_half_is_each_day_that_is_learned_and_the_other_is_cut_into_days(home):
    days = as_days(home, 3, 7).with_columns(day=(pl.col("start") - MIDNIGHT) // 86_400)
    a_day = 12 * HOURS // 2 + 1
    assert days.filter(pl.col("day") < 3)["day"].value_counts().sort("day")["count"].to_list() == [a_day] * 3
    assert days["day"].unique().sort().to_list() == list(range(10))
    assert days.height == 3 * a_day + read(home).height - a_day
    assert ((days["end"] - days["start"]) == 60).all()


def test_clients_use_other_ports_on_each_day_that_is_learned_and_servers_the_same(home):
    days = as_days(home, 2, 7)
    first, second = (days.filter((pl.col("start") - MIDNIGHT) // 86_400 == day) for day in range(2))
    assert first["dstport"].equals(second["dstport"])
    assert not (first["srcport"] == second["srcport"]).any()


def test_what_is_moved_to_a_day_keeps_its_distances(attacks):
    moved = on_day(attacks[0], 5)
    begins = int((FIRST_DAY + timedelta(days=5, hours=9)).timestamp())
    assert (moved["start"] - begins).to_list() == [0, 600, 1200, 1800]


def test_known_ports_are_quiet_and_an_attack_is_told_of_on_a_host_that_is_known(home, attacks):
    quiet, harmed = judged([home], attacks, Variant("rules alone", "rules"))
    (usual,) = quiet
    assert (usual.hosts, usual.false) == (("eni-1",), ())
    assert usual.rows > 0
    assert [(one.name, one.ports, one.hosts, dict(one.found)) for one in harmed] == [
        ("miner", (3333,), 1, {"Behavior:EC2/NetworkPortUnusual": 1}),
        ("worm", (), 1, {}),
    ]
    text = tables(quiet, harmed)
    assert f"| home | 1 | {JUDGED} | {usual.rows} | 0 |" in text
    assert "| miner | home | 1 | 3333 | Behavior:EC2/NetworkPortUnusual: 1 |" in text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no log\n1\n", "its header lacks"),
        (f"{HEADER}\n5 9 eni-1 a b 1 2 6 1 40 - - ACCEPT 2\n", "a start and an end"),
    ],
)
def test_a_file_that_is_no_capture_is_refused_by_name(tmp_path, text, reason):
    path = tmp_path / "other.log"
    path.write_text(text)
    with pytest.raises(UsageError, match=rf"other\.log: .*{reason}"):
        read(path)


def test_a_capture_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(UsageError, match=r"missing\.log"):
        read(tmp_path / "missing.log")
