"""What people said of findings comes to the training, and findings that are too many to a roll-back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from guardray.dataflow.local import LocalEngine
from guardray.dataflow.report import report
from guardray.dataflow.scan import Observer, ScanSettings
from guardray.detectors.features import specs_of
from guardray.detectors.loader import load_detectors
from guardray.findings.finding import Finding
from guardray.intel.store import IndicatorStore
from guardray.models.archive import Archive
from guardray.models.feedback import Mark, marked
from guardray.models.policy import Policy
from guardray.models.registry import Registry
from guardray.service.feedback import Feedback
from guardray.service.models import EpochScorer, LoadedModels
from guardray.service.training import Training
from guardray.sources.objects import KeyFilter, locate
from guardray.store.database import Database
from guardray.store.findings import FindingStore
from guardray.store.marking import archive, give_feedback, unarchive
from guardray.store.search import Scope
from tests.runtime.small_models import add_model, promote
from tests.runtime.ten_days import ACCOUNT, FIRST, REGION, write_ten_days

DETECTORS = load_detectors()
SPEC = next(spec for spec in specs_of(DETECTORS) if spec.name == "management-calls")
ALICE = f"AIDA{'ALICE':A>12}"
TOLD_OF = (FIRST + timedelta(days=8)).date()
"""On the day after, what was done is known."""
SEEN = datetime(2026, 1, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sequence[Finding], pl.DataFrame]:
    """What models find in ten days, on the last two of which a user does what nobody did, and what they learn from."""
    folder = tmp_path_factory.mktemp("account")
    add_model(folder / "models", "strict", 0.2, spec=SPEC)
    scorer = EpochScorer(LoadedModels(Registry(folder / "models")).score)
    scorer.use({SPEC.name: "strict"})
    settings = ScanSettings(detectors=DETECTORS, indicators=IndicatorStore(), scorer=scorer, archives=True)
    result = LocalEngine(settings).scan(locate([str(write_ten_days(folder))], KeyFilter()), Observer())
    findings = [one for one in report(result, settings, SEEN)[0] if "AnomalousBehavior" in one.type]
    assert findings
    return findings, result.features[SPEC.name]


class Place:
    """A findings store, an archive and a registry."""

    def __init__(self, folder: Path, found: tuple[Sequence[Finding], pl.DataFrame]) -> None:
        findings, rows = found
        self.url = str(folder / "findings.db")
        with FindingStore.open(self.url) as store:
            store.commit(findings, epoch="one", now=SEEN)
        self.findings = [finding.id for finding in findings]
        self.archive, self.registry = Archive(folder / "archive"), Registry(folder / "models")
        self.archive.add(SPEC, rows)
        self.feedback = Feedback(self.url, DETECTORS)

    def say(self, what: str) -> None:
        with self._writing() as connection:
            give_feedback(connection, SCOPE, self.findings, what, comments=None, given_by=ACCOUNT, now=SEEN)

    def put_away(self) -> None:
        with self._writing() as connection:
            archive(connection, SCOPE, self.findings, SEEN)

    def take_back(self) -> None:
        with self._writing() as connection:
            unarchive(connection, SCOPE, self.findings, SEEN)

    def _writing(self):
        return Database(self.url).writing()

    def marks(self) -> set[Mark]:
        return set(self.feedback.marks(SPEC, FIRST.date()))

    def training(self) -> Training:
        return Training(self.archive, self.registry, [SPEC], Policy(by_hand=True), feedback=self.feedback)


SCOPE = Scope(frozenset({ACCOUNT}), REGION)


@pytest.fixture
def place(tmp_path: Path, found: tuple[Sequence[Finding], pl.DataFrame]) -> Place:
    return Place(tmp_path, found)


def on_its_day(is_useful: bool) -> set[Mark]:
    return {Mark(ACCOUNT, ALICE, TOLD_OF, TOLD_OF, is_useful)}


def test_findings_that_nobody_said_anything_of_mark_nothing(place: Place):
    assert place.marks() == set()


@pytest.mark.parametrize(("said", "is_useful"), [("USEFUL", True), ("NOT_USEFUL", False)])
def test_what_was_said_of_a_finding_marks_the_principal_on_that_day(place: Place, said: str, is_useful: bool):
    place.say(said)
    assert place.marks() == on_its_day(is_useful)


def test_an_archived_finding_was_not_useful_until_it_is_taken_back(place: Place):
    place.put_away()
    assert place.marks() == on_its_day(False)
    place.take_back()
    assert place.marks() == set()


def test_one_that_was_useful_and_is_archived_was_useful(place: Place):
    place.say("USEFUL")
    place.put_away()
    assert place.marks() == on_its_day(True)


def test_marks_are_of_the_rows_that_the_archive_keeps(place: Place):
    place.say("USEFUL")
    rows = marked(place.archive.read(SPEC), place.marks())
    of_marked = rows.filter("useful").select("whose", "day").unique()
    assert of_marked.rows() == [(ALICE, TOLD_OF)]


def test_days_that_are_too_long_ago_are_not_asked_for(place: Place):
    place.say("USEFUL")
    assert place.feedback.marks(SPEC, date(2026, 2, 1)) == []


def test_a_training_takes_what_was_said(place: Place):
    (silent,) = place.training().run(SEEN, is_asked=True)
    assert "what was said" not in silent
    place.say("USEFUL")
    (told,) = place.training().run(SEEN, is_asked=True)
    assert "with what was said of 1 principal's day" in told
    cards, _ = place.registry.cards(SPEC.name)
    assert len({card.version for card in cards}) == 2


def test_a_store_that_does_not_answer_leaves_all_as_it_was(place: Place, tmp_path: Path):
    (tmp_path / "file").write_text("no folder")
    place.feedback = Feedback(str(tmp_path / "file" / "findings.db"), DETECTORS)
    (told,) = place.training().run(SEEN, is_asked=True)
    assert "not trained" in told
    assert not place.registry.cards()[0]


def test_days_of_principals_that_were_told_of_are_counted_unless_they_were_useful(place: Place):
    assert place.feedback.told(SPEC, FIRST.date(), SEEN) == 1
    assert place.feedback.told(SPEC, TOLD_OF + timedelta(days=1), SEEN) == 0
    assert place.feedback.told(SPEC, FIRST.date(), SEEN + timedelta(seconds=1)) == 0
    place.say("USEFUL")
    assert place.feedback.told(SPEC, FIRST.date(), SEEN) == 0


class Many(Feedback):
    """So many days of principals were told of."""

    def __init__(self, place: Place, many: int) -> None:
        super().__init__(place.url, DETECTORS)
        self.many, self.asked = many, []

    def told(self, spec, since, updated):
        self.asked.append((since, updated))
        return self.many


def versions(place: Place, until: date) -> None:
    """Two of them; the second has learned up to this day."""
    for version, last in (("one", until), ("two", until)):
        add_model(place.registry.root, version, 1.0, spec=SPEC, until=last.isoformat())
        promote(place.registry, version, SPEC)


@pytest.mark.parametrize(("many", "in_force"), [(4, "two"), (40, "one")])
def test_a_version_that_tells_of_far_too_much_is_rolled_back_at_the_next_day(place: Place, many: int, in_force: str):
    versions(place, FIRST.date() + timedelta(days=6))
    place.feedback = Many(place, many)
    told = place.training().run(SEEN)
    assert place.registry.promotions().in_force == {SPEC.name: in_force}
    assert bool(told) == (in_force == "one")
    assert place.feedback.asked == [(FIRST.date() + timedelta(days=7), datetime(2026, 2, 6, tzinfo=UTC))]


def test_one_that_a_person_puts_back_stays(place: Place):
    versions(place, FIRST.date() + timedelta(days=6))
    place.feedback = Many(place, 40)
    place.training().run(SEEN)
    promote(place.registry, "two", SPEC)
    assert place.training().run(SEEN) == []
    assert place.registry.promotions().in_force == {SPEC.name: "two"}


def test_one_that_has_not_judged_a_day_yet_is_not_asked_about(place: Place):
    versions(place, TOLD_OF)
    place.feedback = Many(place, 40)
    place.training().run(SEEN)
    assert place.feedback.asked == []
