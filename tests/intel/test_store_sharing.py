"""A saved or sent store is the same store, and its arrays are the file's or the sender's own memory."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from guardray.errors import UsageError
from guardray.intel import arrays
from guardray.intel.entries import ThreatList
from guardray.intel.store import IndicatorStore
from guardray.intel.values import entries_of_value

SCOPE = frozenset({("111111111111", "eu-west-1"), ("222222222222", "eu-west-1")})
LISTS = (
    (ThreatList("all", "c2", "Emotet", 1, 2, confidence=70), entries_of_value("203.0.113.0/24")),
    (ThreatList("six", "scanner", None, 1, 0), entries_of_value("2001:db8::/32")),
    (ThreatList("names", "dga", None, 1, 0), entries_of_value("bad.test")),
    (ThreatList("own", "trusted", None, 1, 0, scope=SCOPE), entries_of_value("203.0.113.7")),
)
ADDRESSES = pl.Series([3405803783, 3405803784, None], dtype=pl.UInt32)
TEXTS = pl.Series(["203.0.113.8", "2001:db8::1", "x", None])
NAMES = pl.Series(["www.bad.test", "good.test", None])
ACCOUNTS, REGIONS = pl.Series(["111111111111", "999999999999", None]), pl.Series(["eu-west-1"] * 3)


@pytest.fixture
def store():
    return IndicatorStore(LISTS)


def answers(store: IndicatorStore) -> list:
    """What a store says of some values in every way there is."""
    return [
        store.version,
        store.lists,
        store.digest("c2"),
        store.ip_categories(ADDRESSES, ACCOUNTS, REGIONS).to_list(),
        store.text_categories(TEXTS).to_list(),
        store.domain_categories(NAMES).to_list(),
        store.matches(
            ("203.0.113.8", "2001:db8::1", "www.bad.test"), {"c2", "dga"}, account_id="111111111111", region="eu-west-1"
        ),
        store.matches((3405803783,), {"c2", "trusted"}, account_id="222222222222", region="eu-west-1"),
    ]


def test_a_store_that_is_opened_is_the_one_that_was_saved(tmp_path, store):
    store.save(tmp_path / "store")
    assert answers(IndicatorStore.open(tmp_path / "store")) == answers(store)


def test_an_empty_store_can_be_saved_and_opened(tmp_path):
    IndicatorStore().save(tmp_path)
    assert answers(IndicatorStore.open(tmp_path)) == answers(IndicatorStore())


def test_arrays_of_a_file_are_its_pages_and_not_copies(tmp_path):
    original = {"numbers": np.arange(1000, dtype=np.uint32), "packed": np.array([b"a" * 16, b""], "S16")}
    arrays.write(tmp_path / "a.arrow", original, b"{}")

    read, about = arrays.read(tmp_path / "a.arrow")

    assert about == b"{}"
    for name, array in original.items():
        np.testing.assert_array_equal(read[name], array, strict=True)
    start = read["numbers"].__array_interface__["data"][0]
    assert any(low <= start < high for low, high in mapped_pages("a.arrow"))
    assert not read["numbers"].flags.writeable


def mapped_pages(name: str) -> list[tuple[int, int]]:
    """Where in this process's memory the file of that name is mapped."""
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux tells what is mapped where")
    with open("/proc/self/maps") as maps:  # noqa: PTH123 - not a file of a folder
        places = [line.split()[0].split("-") for line in maps if line.rstrip().endswith(f"/{name}")]
    return [(int(low, 16), int(high, 16)) for low, high in places]


def test_pickling_moves_arrays_out_of_band(store):
    buffers: list[pickle.PickleBuffer] = []
    sent = pickle.dumps(store, protocol=5, buffer_callback=buffers.append)
    received = pickle.loads(sent, buffers=buffers)

    assert answers(received) == answers(store)
    own, theirs = (one._content.arrays() for one in (store, received))
    assert all(np.shares_memory(own[name], theirs[name]) for name in own if len(own[name]))
    assert len(sent) < 10_000


def test_a_store_survives_being_sent_without_buffers(store):
    assert answers(pickle.loads(pickle.dumps(store))) == answers(store)


def test_the_version_does_not_depend_on_the_process(store):
    program = "from intel.test_store_sharing import *; print(IndicatorStore(LISTS).version)"
    tests = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tests)
    assert done.stdout.strip() == store.version


@pytest.mark.parametrize("content", [None, b"", b"nonsense"], ids=["missing", "empty", "another format"])
def test_a_folder_without_a_sound_store_is_refused_by_name(tmp_path, content):
    if content is not None:
        (tmp_path / "indicators.arrow").write_bytes(content)
    with pytest.raises(UsageError, match=r"indicators\.arrow: not an indicator store"):
        IndicatorStore.open(tmp_path)


def test_a_store_of_another_layout_is_refused(tmp_path):
    arrays.write(tmp_path / "indicators.arrow", {}, b'{"layout":0,"version":"","lists":[],"digests":{},"held":{}}')
    with pytest.raises(UsageError, match="layout 0"):
        IndicatorStore.open(tmp_path)


def test_a_file_that_is_cut_is_refused(tmp_path, store):
    store.save(tmp_path)
    file = tmp_path / "indicators.arrow"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(UsageError, match="not an indicator store"):
        IndicatorStore.open(tmp_path)
