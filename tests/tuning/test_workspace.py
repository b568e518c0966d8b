"""From logs to a folder that notebooks work on: a trail of three users at work, and a theft at its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import cloudpickle
import pytest
from checkpoints.conftest import LASTS, NOW
from working_days import DAYS, FIRST, attack, worked, written

from guardray.checkpoints.checkpoints import Checkpoints
from guardray.checkpoints.parts import write_part
from guardray.dataflow.baseline import Baseline
from guardray.detectors.loader import load_detectors
from guardray.errors import UsageError
from guardray.evaluation.variants import Variant
from guardray.models.policy import Policy
from guardray.store.service import ServiceStore
from guardray.tuning.changes import PastDays, changes, counted, found_by
from guardray.tuning.constants import with_constants
from guardray.tuning.contest import Contest, promoted
from guardray.tuning.profiles import Profiles
from guardray.tuning.unusual import explained, unusual
from guardray.tuning.workspace import Workspace

ACCOUNT, KIND = "111122223333", "management-calls"

THEFT = DAYS - 1
"""The day of it, counted from the first."""

PERSISTENCE = "Persistence:IAMUser/AnomalousBehavior"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("place")
    theft = [one | {"sourceIPAddress": "203.0.113.9"} for one in attack(THEFT)]
    logs = written(folder / "trail.json", worked(0, DAYS) + theft)
    place = Workspace(folder / "data", folder, (str(logs),))
    place.learn()
    return place


@pytest.fixture(scope="module")
def past(place):
    return PastDays(place)


def profiles_of(place):
    return Profiles.of(place.data, place.specs[KIND].activity)


def test_everybody_who_was_at_work_is_there_with_their_days(place):
    found = profiles_of(place).principals(ACCOUNT)
    assert list(found["actor_principal"]) == ["AIDAADA", "AIDABO", "AIDACY"]
    assert list(found["days"]) == [DAYS] * 3
    assert list(found["calls_a_day"]) == [7, 7, 7]
    assert list(found["agent"]) == [2, 1, 1]


def test_somebody_is_known_by_their_values_those_first_that_were_seen_most(place):
    usual = profiles_of(place).usual(ACCOUNT, "AIDAADA").set_index("habit")
    agents = usual.loc["agent"]
    assert list(agents["value"]) == ["aws-cli", "Boto3"]
    assert list(agents["days"]) == [DAYS, 1]
    assert usual.loc["operation", "days"].iloc[:4].tolist() == [DAYS] * 4


def test_hours_are_those_of_the_week_at_which_somebody_called(place):
    hours = profiles_of(place).hours(ACCOUNT, "AIDABO")
    assert hours.shape == (7, 24)
    assert set(hours.columns[hours.sum() > 0]) == {f"{hour:02}" for hour in range(9, 16)}
    assert hours.loc["Mon", "09"] == 4  # of the four weeks that are remembered
    assert (profiles_of(place).hours(ACCOUNT) >= hours).all(axis=None)


def test_what_a_service_keeps_in_checkpoints_is_known_as_well(place, tmp_path):
    tables = Baseline.open(place.data).tables
    with ServiceStore.open(str(tmp_path / "findings.db")) as store:
        fence = store.lease.acquire("tests", NOW, LASTS, take_over=True)
        store.epochs.commit(1, {}, fence=fence, now=NOW, fold=lambda _: (0, 0))
        checkpoints = Checkpoints(str(tmp_path / "checkpoints"), store, fence)
        draft = checkpoints.begin()
        parts = [write_part(draft, "shard-0", tables)]
        checkpoints.finish(draft, parts, epoch=1, shards=1, content={}, now=NOW)
    known = Profiles.of(tmp_path, place.specs[KIND].activity)
    assert known.principals(ACCOUNT).equals(profiles_of(place).principals(ACCOUNT))


def test_a_folder_where_nothing_is_known_is_refused(place, tmp_path):
    with pytest.raises(UsageError, match="nothing is known of what is usual there"):
        Profiles.of(tmp_path, place.specs[KIND].activity)
    with pytest.raises(UsageError, match="no rows are kept there"):
        Workspace.opened(tmp_path)


def test_the_theft_is_the_most_unusual_day_and_it_is_told_why(place):
    spec, rows = place.specs[KIND], place.archive.read(place.specs[KIND])
    days = unusual(place.family(KIND), spec, rows)
    assert days.loc[0, "whose"] == "AIDAADA"
    assert days.loc[0, "day"].date() == FIRST + timedelta(THEFT)
    assert days["anomaly"].is_monotonic_decreasing
    assert not days.duplicated(["account", "whose", "day"]).any()
    why = explained(place.family(KIND), spec, rows, days.loc[0])
    assert why["share"].sum() == pytest.approx(1.0)
    assert why["words"].iloc[0] in days.loc[0, "reasons"]
    assert why["value"].iloc[0] > why["seldom above"].iloc[0]


def test_findings_are_kept_with_what_they_say(place):
    found = place.findings()
    assert PERSISTENCE in set(found["type"])
    assert str(found["first_seen"].dtype).endswith("UTC]")


def test_a_threshold_that_is_raised_makes_findings_vanish(place, past):
    known = load_detectors([PERSISTENCE])
    silent = with_constants("Discovery:IAMUser/AnomalousBehavior", {"CLEAR_POINTS": 50})
    assert {one.key.finding_type for one in past.found_by(known)} == {PERSISTENCE}
    assert past.found_by([silent]) == []
    change = changes(place, past.found_by(known), [])
    assert set(change["change"]) == {"vanishes"}
    assert counted(change).loc["unknown", "vanishes"] == len(change)


def test_days_that_are_judged_again_give_what_a_scan_gives(place, past):
    known = load_detectors([PERSISTENCE])
    change = changes(place, found_by(place, known), past.found_by(known))
    assert set(change["change"]) == {"stays"}


def test_models_may_judge_past_days_beside_the_rules(place, past):
    rules, both = past.judged(Variant("rules", "rules")), past.judged(Variant("both", "both"))
    change = changes(place, rules, both)
    assert {"appears", "vanishes", "stays"} >= set(change["change"])
    assert past.days == DAYS


def test_logs_that_were_not_named_cannot_be_read_again(place):
    with pytest.raises(UsageError, match="no logs to read again"):
        found_by(Workspace.opened(place.data), ())


def test_a_contest_learns_the_days_before_and_judges_those_after(place):
    contest = Contest.of(place, KIND, days=7)
    assert contest.split == FIRST + timedelta(DAYS - 1 - 7)
    assert contest.judged_by == "injected anomalies"
    found = contest.tried(Policy(model="robust"))
    assert 0 < found.recall <= 1
    assert found.false <= found.budget
    assert list(found.curve.columns) == ["threshold", "false", "recall", "precision"]


def test_a_contest_travels_to_other_processes(place):
    contest = Contest.of(place, KIND)
    again = cloudpickle.loads(cloudpickle.dumps(contest.trial))
    assert again({"model": "robust"}) == contest.trial({"model": "robust"})


def test_a_contest_needs_days_besides_those_that_it_judges(place):
    with pytest.raises(UsageError, match="no more than the 60 days"):
        Contest.of(place, KIND, days=60)


def test_a_model_that_is_promoted_is_in_force_with_its_reason(place):
    at = datetime(2026, 3, 1, tzinfo=UTC)
    versions = promoted(place, KIND, Policy(model="robust"), at=at, by="tests", reason="it was best")
    (in_force,) = versions.loc[versions["in_force"], "model"]
    assert in_force == "robust"
    assert place.registry.promotions().history[-1].reason == "it was best"
