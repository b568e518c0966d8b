"""The data that comes with the program: for every address, country and autonomous system, as sorted steps."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from guardray.schema.ipv6 import from_words

DATA = Path(__file__).parent / "data"
STEPS = "ipv{}.parquet"
ORGANISATIONS = "organisations.parquet"
ABOUT = "about.json"


@dataclass(frozen=True, eq=False)
class Steps:
    """What holds from each start up to the next, over all addresses of one IP version; 0 is unknown.

    Attributes:
        starts: ascending from 0: uint32 for IPv4, S16 for IPv6.
        countries: uint8, places in `About.codes`, counted from 1.
        asns: uint32.
    """

    starts: npt.NDArray[np.uint32] | npt.NDArray[np.bytes_]
    countries: npt.NDArray[np.uint8]
    asns: npt.NDArray[np.uint32]


@dataclass(frozen=True)
class About:
    """Where the data is from. `countries` maps ISO codes to English names, in the order that steps count in."""

    date: date
    licence: str
    attribution: str
    countries: dict[str, str]


@cache
def about() -> About:
    """The description that was written with the data."""
    told = json.loads((DATA / ABOUT).read_text(encoding="utf-8"))
    return About(date.fromisoformat(told["date"]), told["licence"], told["attribution"], told["countries"])


def ipv4_steps() -> Steps:
    """All of IPv4."""
    table = pq.read_table(DATA / STEPS.format(4))
    starts = np.cumsum(table["gap"].to_numpy(), dtype=np.uint32)
    return Steps(starts, table["country"].to_numpy(), table["asn"].to_numpy())


def ipv6_steps() -> Steps:
    """All of IPv6."""
    table = pq.read_table(DATA / STEPS.format(6))
    high = np.cumsum(table["high_gap"].to_numpy(), dtype=np.uint64)
    return Steps(from_words(high, table["low"].to_numpy()), table["country"].to_numpy(), table["asn"].to_numpy())


@cache
def organisations() -> dict[int, str]:
    """Names of the holders of autonomous systems."""
    table = pq.read_table(DATA / ORGANISATIONS)
    return dict(zip(table["asn"].to_pylist(), table["name"].to_pylist(), strict=True))
