"""Models in the dataflow: they see only what is new, decide with the rules, and say why."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import polars as pl
import pytest
from new_calls import CALLS, MIDNIGHT, NEW_CALL, WHOSE, call, calls_of, ingested

from guardray.dataflow.event_time import microseconds
from guardray.dataflow.partials import Owners
from guardray.dataflow.report import findings_of
from guardray.dataflow.scoring import together
from guardray.dataflow.shard import Shard
from guardray.detectors.decisions import CLEARLY_USUAL, decided, ranked
from guardray.detectors.features import Feature, FeatureSpec
from guardray.detectors.iam import anomalous_behavior as management
from guardray.findings.sighting import Sighting
from guardray.models.scorer import COLUMNS
from guardray.testing import START, findings_from, frame_of, world_of

IS_NEW = (pl.col("api_history") > 0) & (pl.col("api_days") == 0)
SPEC = FeatureSpec(
    name="calls",
    activity=CALLS,
    candidates=IS_NEW,
    whose=WHOSE,
    features=(Feature("calls", pl.col("calls").log(2), "octaves", "many calls"),),
)
MODELLED = replace(
    NEW_CALL,
    crossed=decided(IS_NEW & (pl.col("calls") >= 4), is_new=IS_NEW),
    score=ranked(pl.col("calls")),
    spec=SPEC,
)
USUAL = [call("GetUser", day, second) for day in range(3) for second in (1, 2)]


@dataclass
class Sums:
    """A model whose score is the sum of the features over a threshold; it knows the accounts but for `unknown`."""

    threshold: float
    unknown: tuple[str, ...] = ()
    version: str = "sums"
    asked: list[pl.DataFrame] = field(default_factory=list)

    def score(self, spec: FeatureSpec, rows: pl.DataFrame) -> pl.DataFrame:
        self.asked.append(rows)
        features = spec.frame(rows)
        is_known = ~rows["cloud_account_uid"].is_in(self.unknown)
        anomaly = (features.sum_horizontal() / self.threshold).zip_with(is_known, pl.Series([None], dtype=pl.Float64))
        shares = [
            [{"feature": name, "share": value / (sum(row) or 1.0)} for name, value in zip(spec.names, row, strict=True)]
            for row in features.iter_rows()
        ]
        return pl.DataFrame({"anomaly": anomaly, "contributions": shares}, schema=COLUMNS)


def made(operation: str, times: int, day: int = 3) -> list[dict]:
    return [call(operation, day, 100 + second) for second in range(times)]


def seen(*rows: dict, scorer: Sums | None = None, archives: bool = False) -> tuple[list[Sighting], Shard]:
    shard = Shard([MODELLED], scorer=scorer, archives=archives)
    shard.merge(ingested(calls_of(rows), detector=MODELLED).drain())
    return shard.finish(), shard


def told(*rows: dict, scorer: Sums | None) -> set[str]:
    sightings, shard = seen(*rows, scorer=scorer)
    assert shard.problems == []
    return {sighting.latest.row["api_operation"] for sighting in sightings}


def test_without_a_model_the_rule_decides_alone():
    assert told(*USUAL, *made("A", 2), scorer=None) == set()
    assert told(*USUAL, *made("A", 4), scorer=None) == {"A"}


def test_a_model_raises_what_the_rule_is_too_blunt_for():
    assert told(*USUAL, *made("A", 2), scorer=Sums(1.0)) == {"A"}


def test_a_model_quietens_what_is_clearly_usual_for_the_account():
    assert told(*USUAL, *made("A", 4), scorer=Sums(2.0 / CLEARLY_USUAL)) == {"A"}
    assert told(*USUAL, *made("A", 4), scorer=Sums(2.1 / CLEARLY_USUAL)) == set()


def test_an_account_without_a_model_is_judged_by_the_rule():
    rows = [*USUAL, *made("A", 4)]
    account = calls_of(rows)["cloud_account_uid"][0]
    assert told(*rows, scorer=Sums(100.0, unknown=(account,))) == {"A"}


def test_only_what_is_new_reaches_a_model():
    scorer = Sums(1.0)
    seen(*USUAL, *made("A", 2), call("GetUser", 3), call("B", 3, who="AIDA2"), scorer=scorer)
    assert [rows.height for rows in scorer.asked if rows.height] == [1]


def test_a_finding_tells_what_made_it_unusual_beside_what_is_usual():
    history = management.HISTORY
    stolen = management.WORK | {"src_endpoint_ip": management.HOTEL, "http_request_user_agent": management.TOOL}
    rows = frame_of(
        management.CALLS.schema,
        [*history, stolen | {"api_service_name": "iam.amazonaws.com", "api_operation": "CreateAccessKey"}],
    )
    detector = next(one for one in management.DETECTORS if one.finding_type.startswith("Persistence"))
    (plain,) = findings_from(detector, rows, places=management.PLACES)
    assert "contributions" not in plain.additional_info
    shard = Shard([detector], scorer=Sums(10.0))
    world = world_of(management.PLACES)
    shard.merge(ingested(rows, detector=detector, geography=world).drain())
    ((finding,), problems) = findings_of(shard.finish(), {detector.finding_type: detector}, START)
    assert problems == []
    info = finding.additional_info
    assert info["anomalyScore"] > 1
    assert {one["feature"] for one in info["contributions"]} <= set(management.SPEC.names)
    assert "times its threshold" in finding.description
    assert info["unusualBehavior"] == plain.additional_info["unusualBehavior"]


def test_what_models_are_to_learn_is_handed_out_once_with_what_was_told():
    _, shard = seen(*USUAL, *made("A", 4), *made("B", 2), archives=True)
    drained = shard.drain_features()["calls"].sort("calls")
    assert drained["flagged"].to_list() == [False, True]
    assert drained["calls"].to_list() == [1.0, 2.0]
    assert drained["window_start"].dt.date().unique().to_list() == [(MIDNIGHT + timedelta(days=3)).date()]
    assert shard.drain_features() == {}


def test_nothing_is_kept_to_learn_where_nobody_asks():
    _, shard = seen(*USUAL, *made("A", 4))
    assert shard.drain_features() == {}


@pytest.mark.parametrize("shards", [2, 3])
def test_several_shards_hand_out_what_one_does(shards: int):
    accounts = [f"{number:012}" for number in range(1, 9)]
    rows = [
        row | {"cloud_account_uid": account, "event_hash": hash((account, str(row))) % 2**63}
        for account in accounts
        for row in [*USUAL, *made("A", 4)]
    ]
    _, one = seen(*rows, archives=True)
    parts = []
    for part in ingested(calls_of(rows), detector=MODELLED).drain().split(shards, Owners.of([MODELLED])):
        shard = Shard([MODELLED], archives=True)
        shard.merge(part)
        shard.finish()
        parts.append(shard.drain_features())
    whole, ours = together(parts)["calls"], one.drain_features()["calls"]
    assert whole.sort(pl.all()).equals(ours.sort(pl.all()))


def test_a_restored_shard_goes_on_with_the_same_models():
    rows = [*USUAL, *made("A", 2)]
    (whole,), _ = seen(*rows, scorer=Sums(1.0))
    first = Shard([MODELLED], scorer=Sums(1.0))
    first.merge(ingested(calls_of(rows), detector=MODELLED).drain())
    before = first.advance(microseconds(_midnight(2)))
    second = Shard.restore([MODELLED], first.snapshot(), Sums(1.0))
    (found,) = [*before, *second.finish()]
    assert (found.key, found.latest.row["anomaly"]) == (whole.key, whole.latest.row["anomaly"])


def _midnight(day: int) -> datetime:
    return MIDNIGHT + timedelta(days=day)


def test_what_was_told_weighs_nothing_in_what_is_learned():
    _, shard = seen(*USUAL, *made("A", 4), *made("B", 2))
    table = pl.DataFrame(pl.from_arrow(shard.learned().tables["activities/calls/api"]))
    weights = dict(table.select("api_operation", "weight").iter_rows())
    assert (weights["A"], weights["B"]) == (0.0, 1.0)
    assert set(table["days"]) >= {1}
