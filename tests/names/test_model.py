"""What the model of names says, and which files it refuses."""

from __future__ import annotations

import json
import math
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import polars as pl
import pytest
from hatchling.builders.wheel import WheelBuilder
from hypothesis import given
from hypothesis import strategies as st

from guardray.errors import UsageError
from guardray.names import train
from guardray.names.features import WIDTH
from guardray.names.model import ABOUT, DATA, ODD, WEIGHTS, load, shipped

ROOT = Path(__file__).resolve().parents[2]
DRAWN = ("qxkvbwzjrtpl.com", "3f9a0c7be41d8526.net", "xjw4kq7zt2vbn.org", "wfnrcoplvxtduh.ru")
THOUGHT_OF = ("wikipedia.org", "garden-hotel.de", "openstreetmap.org", "citybakery.co.uk", "ibm.com")


def percent(*domains: str | None) -> list[int | None]:
    return shipped().percent(pl.Series(domains, dtype=pl.String)).to_list()


@pytest.mark.parametrize("domain", DRAWN)
def test_drawn_letters_look_generated(domain):
    assert percent(domain)[0] >= 90


@pytest.mark.parametrize("domain", THOUGHT_OF)
def test_names_that_somebody_thought_of_do_not(domain):
    assert percent(domain)[0] < ODD


def test_only_the_first_label_counts():
    assert len(set(percent("qxkvbwzjrtpl.com", "qxkvbwzjrtpl.ddns.net", "qxkvbwzjrtpl"))) == 1


def test_unknown_names_and_names_in_other_scripts_are_not_judged():
    assert percent(None, "xn--80ak6aa92e.com", "XN--80AK6AA92E.com") == [None, None, None]


@given(st.lists(st.text(max_size=80), max_size=5))
def test_any_text_has_a_score_that_does_not_depend_on_case_or_on_its_neighbours(texts):
    plain = [text.encode("ascii", "replace").decode() for text in texts]
    together = percent(*texts)
    assert together == [percent(text)[0] for text in texts]
    assert percent(*(text.upper() for text in plain)) == percent(*(text.lower() for text in plain))
    assert all(one is None or 0 <= one <= 100 for one in together)


def test_even_odds_are_fifty_percent():
    model = shipped()
    domains = pl.Series([*DRAWN, *THOUGHT_OF])
    expected = [math.floor(100 / (1 + math.exp(model.even - odds))) for odds in model.log_odds(domains)]
    assert model.percent(domains).to_list() == expected


def test_the_same_names_and_seed_give_the_same_weights_and_these_survive_writing(tmp_path):
    first, again, other = (train.fit(list(DRAWN), list(THOUGHT_OF), seed) for seed in (1, 1, 2))
    assert first.shape == (WIDTH,)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    train.write(tmp_path, first, {"even": 0.5})
    read = load(tmp_path)
    assert np.array_equal(read.weights, first)
    assert read.even == 0.5


def test_files_are_written_alike_each_time(tmp_path):
    weights = train.fit(list(DRAWN), list(THOUGHT_OF))
    for folder in ("a", "b"):
        train.write(tmp_path / folder, weights, {"even": 0.0})
    assert (tmp_path / "a" / WEIGHTS).read_bytes() == (tmp_path / "b" / WEIGHTS).read_bytes()


def test_a_damaged_file_is_refused_by_name(tmp_path):
    train.write(tmp_path, np.zeros(WIDTH, np.float32), {"even": 0.0})
    (tmp_path / WEIGHTS).write_bytes((tmp_path / WEIGHTS).read_bytes()[:-1])
    with pytest.raises(UsageError, match=r"weights\.npz: the checksum"):
        load(tmp_path)


def test_weights_of_other_features_are_refused(tmp_path):
    train.write(tmp_path, np.zeros(7, np.float32), {"even": 0.0})
    with pytest.raises(UsageError, match=f"7 weights, where this version has {WIDTH} features"):
        load(tmp_path)


def test_a_wheel_has_the_model_which_is_small_and_says_what_it_learned_from(tmp_path):
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    packed = set(ZipFile(wheel).namelist())
    assert {f"guardray/names/data/{path.name}" for path in DATA.iterdir()} <= packed
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 2_000_000
    about = json.loads((DATA / ABOUT).read_text())
    assert {source["licence"] for source in about["sources"]} == {"BSD-3-Clause", "MIT", "public domain"}
