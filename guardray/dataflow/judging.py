"""Changes of configurations, judged in the order of time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl

from guardray.dataflow.eviction import Evictable
from guardray.dataflow.hits import sightings_of
from guardray.dataflow.shard_state import ShardState
from guardray.dataflow.switching_off import Fuses
from guardray.detectors.declare import ChangeDetector
from guardray.errors import DetectorError
from guardray.findings.sighting import Sighting


class Changes:
    """The detectors of changes, and the state that they look at.

    Args:
        detectors: by finding type.
        state: of the shard.
        fuses: of the detectors.
    """

    def __init__(self, detectors: Mapping[str, ChangeDetector], state: ShardState, fuses: Fuses) -> None:
        self._detectors, self._state, self._fuses = detectors, state, fuses
        self._early: list[Sighting] = []
        """What was judged before its time, to make room."""

    @property
    def problems(self) -> list[DetectorError]:
        """Changes that a judge failed on."""
        return [problem for known in self._state.configurations.values() for problem in known.problems]

    def judge(self, watermark: int) -> list[Sighting]:
        """What is found in changes before the watermark (microseconds)."""
        judged: list[Sighting] = []
        for finding_type, detector in self._fuses.whole(self._detectors):
            with self._fuses.of(finding_type):
                judged += self._judge(finding_type, detector, watermark)
        return judged

    def take_early(self) -> list[Sighting]:
        """What was found in changes that were judged before their time."""
        early, self._early = self._early, []
        return early

    def evictable(self) -> Iterator[Evictable]:
        """What may go before its time: see `Shard.evict`."""
        for known in self._state.configurations.values():
            yield Evictable(known.nbytes, known.forget_oldest, is_needed=True)
        for finding_type, buffer in self._state.buffers.items():
            yield Evictable(buffer.nbytes, partial(self._judge_half, finding_type))

    def _judge_half(self, finding_type: str) -> int:
        buffer = self._state.buffers[finding_type]
        before = len(buffer)
        if before:
            self._early += self._judge(finding_type, self._detectors[finding_type], buffer.median_time() + 1)
        return before - len(buffer)

    def _judge(self, finding_type: str, detector: ChangeDetector, watermark: int) -> list[Sighting]:
        rows = self._state.buffers[finding_type].release(watermark)
        if rows.is_empty():
            return []
        judged = self._state.configurations[finding_type].judge_all(detector, rows)
        fired = [
            (dict(row), dict(judgement.facts)) for row, judgement in judged if judgement.fires and not row["is_trusted"]
        ]
        return _change_sightings(detector, rows.schema, fired)


def _change_sightings(
    detector: ChangeDetector, schema: pl.Schema, fired: Sequence[tuple[dict[str, Any], dict[str, Any]]]
) -> list[Sighting]:
    if not fired:
        return []
    hits = pl.DataFrame([row for row, _ in fired], schema=schema, orient="row").with_columns(
        pl.Series("facts", [facts for _, facts in fired], dtype=pl.Object),
        digest=pl.col("event_hash"),
        last_seen=pl.col("time"),
    )
    return sightings_of(detector, hits)
