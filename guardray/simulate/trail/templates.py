"""Many events from few: each distinct event is encoded once, then its open places are filled a column at a time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from guardray.simulate.rendering import s3_host_ids, s3_request_ids, utc_times, uuids
from guardray.simulate.trail.events import EVENT, HOST_ID, KEY, REQUEST, TIME, Call, Caller, event, region_of
from guardray.simulate.world import Account

PLACES = (TIME, KEY, HOST_ID, REQUEST, EVENT, KEY)
_ANY_PLACE = re.compile("|".join(dict.fromkeys(PLACES)))

CALLS = pl.Schema({"time": pl.Float64(), "template": pl.UInt32(), "key": pl.String()})
"""Calls to render: when, which template, and the object key (empty where there is none)."""


class Templates:
    """The distinct events of one account, by number."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._pieces: list[tuple[str, ...]] = []
        self._regions: list[str] = []
        self._is_s3: list[bool] = []

    def add(self, by: Caller, call: Call) -> int:
        """The number of a new template: this call by this caller."""
        self._pieces.append(split(event(self._account, by, call)))
        self._regions.append(region_of(self._account, call))
        self._is_s3.append(call.service == "s3")
        return len(self._pieces) - 1

    def frame(self) -> pl.DataFrame:
        """One row a template: `piece_0` to `piece_6`, `region`, `is_s3`."""
        pieces = {
            f"piece_{i}": pl.Series([piece[i] for piece in self._pieces], dtype=pl.String)
            for i in range(len(PLACES) + 1)
        }
        return pl.DataFrame({**pieces, "region": pl.Series(self._regions, dtype=pl.String), "is_s3": self._is_s3})


def split(document: dict[str, Any]) -> tuple[str, ...]:
    """An event's JSON cut at its open places; a place that it lacks has an empty piece after it."""
    text = msgspec.json.encode(document).decode()
    pieces, start, place = [], 0, 0
    for found in _ANY_PLACE.finditer(text):
        while PLACES[place] != found.group():
            pieces.append(text[start : found.start()])
            start, place = found.start(), place + 1
        pieces.append(text[start : found.start()])
        start, place = found.end(), place + 1
    return (*pieces, text[start:], *[""] * (len(PLACES) - place))


def calls(times: ArrayLike, templates: ArrayLike, keys: Iterable[str] | pl.Series | None = None) -> pl.DataFrame:
    """Calls at these times; one template and one key for all, or one for each."""
    time = np.atleast_1d(np.asarray(times, dtype=np.float64))
    template = np.broadcast_to(np.asarray(templates, dtype=np.uint32), time.shape)
    key = pl.Series(keys, dtype=pl.String) if keys is not None else _empty(len(time))
    return pl.DataFrame({"time": time, "template": template, "key": key}, schema=CALLS)


def render(found: pl.DataFrame, templates: pl.DataFrame, rng: np.random.Generator) -> pl.Series:
    """The JSON text of each call: String [n]."""
    n, number = len(found), found["template"]
    is_s3 = templates["is_s3"].gather(number)
    requests = s3_request_ids(rng, n).zip_with(is_s3, uuids(rng, n))
    hosts = s3_host_ids(rng, n).zip_with(is_s3, _empty(n))
    values = (utc_times(found["time"].to_numpy()), found["key"], hosts, requests, uuids(rng, n), found["key"])
    parts = [templates["piece_0"].gather(number)]
    for place, value in enumerate(values, start=1):
        parts += [value, templates[f"piece_{place}"].gather(number)]
    return pl.select(pl.concat_str(parts)).to_series()


def _empty(n: int) -> pl.Series:
    return pl.Series([""], dtype=pl.String).new_from_index(0, n)
