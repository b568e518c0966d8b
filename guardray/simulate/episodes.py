"""What an attack or a hard negative adds to an account: calls, traffic, queries and their labels."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from guardray.simulate.dns.queries import QUERIES
from guardray.simulate.flow.conversations import CONVERSATION
from guardray.simulate.labels import Label
from guardray.simulate.period import Period
from guardray.simulate.trail.events import Call, Caller
from guardray.simulate.trail.templates import CALLS, Templates, calls


@dataclass(frozen=True)
class TimedCall:
    """One API call at a time."""

    time: float
    by: Caller
    call: Call
    key: str = ""


@dataclass(frozen=True)
class Episode:
    """Something that happens once in an account."""

    labels: tuple[Label, ...]
    calls: tuple[TimedCall, ...] = ()
    traffic: pl.DataFrame = field(default_factory=CONVERSATION.to_frame)
    queries: pl.DataFrame = field(default_factory=QUERIES.to_frame)


class Episodes:
    """All episodes of an account, cut by time where files are cut."""

    def __init__(self, episodes: list[Episode]) -> None:
        self.labels = [label for episode in episodes for label in episode.labels]
        self._calls = sorted((one for episode in episodes for one in episode.calls), key=lambda one: one.time)
        self._traffic = pl.concat([CONVERSATION.to_frame(), *(one.traffic for one in episodes)])
        self._queries = pl.concat([QUERIES.to_frame(), *(one.queries for one in episodes)])

    def calls_in(self, piece: Period, templates: Templates) -> pl.DataFrame:
        """The calls of this stretch of time, their templates added."""
        found = [
            calls([one.time], templates.add(one.by, one.call), [one.key])
            for one in self._calls
            if piece.start <= one.time < piece.end
        ]
        return pl.concat([CALLS.to_frame(), *found])

    def traffic_in(self, piece: Period) -> pl.DataFrame:
        """The conversations that begin in this stretch of time."""
        return self._traffic.filter(pl.col("start").is_between(piece.start, piece.end, closed="left"))

    def queries_in(self, piece: Period) -> pl.DataFrame:
        """The queries of this stretch of time."""
        return self._queries.filter(pl.col("time").is_between(piece.start, piece.end, closed="left"))
