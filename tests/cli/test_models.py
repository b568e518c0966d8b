"""`guardray models`, on a registry of the shipped features."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from guardray.cli.app import app
from guardray.detectors.iam.anomalous_behavior import SPEC
from guardray.errors import UsageError
from guardray.models.archive import Archive
from guardray.models.policy import Policy
from guardray.models.registry import Registry
from guardray.models.training import train

AT = datetime(2026, 3, 30, 12, tzinfo=UTC)
ACCOUNT = "111122223333"


def rows_of(rng: np.random.Generator, day: datetime, many: int = 12) -> pl.DataFrame:
    """Rows as the spec measures them, of one account and day."""
    values = {name: np.where(rng.random(many) < 0.2, rng.exponential(1.0, many), 0.0) for name in SPEC.names}
    whose = {name: [f"{name}{at % 3}" for at in range(many)] for name in SPEC.whose[1:]}
    return pl.DataFrame(
        {
            SPEC.whose[0]: [ACCOUNT] * many,
            **whose,
            "window_start": [day] * many,
            "digest": pl.Series(np.arange(many) + day.toordinal() * 100, dtype=pl.UInt64),
            **values,
        }
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data folder with an archive and two versions, of which the second is in force."""
    folder = tmp_path_factory.mktemp("data")
    archive, registry = Archive(folder / "archive"), Registry(folder / "models")
    rng, first = np.random.default_rng(0), datetime(2026, 3, 2, tzinfo=UTC)
    for at in range(28):
        archive.add(SPEC, rows_of(rng, first + timedelta(days=at)))
    for model in ("robust", "tails"):
        candidate = train(archive, SPEC, Policy(model=model, injected=20), until=(first + timedelta(days=27)).date())
        registry.add(candidate.family, candidate.card)
        registry.promote(SPEC.name, candidate.card.version, at=AT, by="somebody")
    return folder


@pytest.fixture
def run(data):
    def run(*arguments, status: int = 0) -> str:
        result = CliRunner().invoke(app, ["models", *arguments, "--data", str(data)])
        assert result.exit_code == status, result.output
        return result.output

    return run


def versions(data) -> list[str]:
    return [one.version for one in Registry(data / "models").promotions().history]


def test_the_list_names_versions_and_marks_the_one_in_force(run, data):
    listed = json.loads(run("list", "--json"))
    assert {(one["card"]["version"], one["in_force"]) for one in listed} == {
        (versions(data)[0], False),
        (versions(data)[1], True),
    }
    assert versions(data)[1] in run("list")


def test_one_version_is_shown_with_its_card_and_history(run, data):
    shown = json.loads(run("show", SPEC.name, "--json"))
    assert shown["card"]["model"] == "tails"
    assert shown["card"]["rows"] == 28 * 12
    assert [one["version"] for one in shown["history"]] == versions(data)
    page = run("show", SPEC.name)
    assert "(in force)" in page
    assert "sha256" in page


def test_two_versions_are_compared_on_past_days(run, data):
    found = json.loads(run("compare", SPEC.name, versions(data)[0], "--json"))
    assert {one["change"] for one in found} <= {"appears", "vanishes", "stays"}
    assert "findings from 2026-03-02 to 2026-03-29" in run("compare", SPEC.name, versions(data)[0])


def test_a_version_is_promoted_and_rolled_back(run, data):
    one, two = versions(data)[:2]
    assert f"{one} is in force, {two} was before" in run("promote", SPEC.name, one, "--reason", "fewer findings")
    assert f"{two} is in force, {one} was before" in run("promote", SPEC.name, two)
    assert Registry(data / "models").promotions().history[2].reason == "fewer findings"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("show", "nothing"), "nothing: no version is in force"),
        (("show", SPEC.name, "1999"), "no version begins with '1999'"),
        (("promote", SPEC.name, "2026"), "2 versions begin with '2026'"),
        (("rollback", "nothing"), "no other version was in force before"),
        (("compare", "nothing", "1"), "there is no family 'nothing'"),
    ],
)
def test_what_is_not_there_is_told_in_one_line(data, arguments, problem):
    result = CliRunner().invoke(app, ["models", *arguments, "--data", str(data)])
    assert problem in str(result.exception)


def test_a_folder_without_models_says_how_to_make_them(tmp_path):
    result = CliRunner().invoke(app, ["models", "list", "--baseline", str(tmp_path)])
    assert "`guardray train` makes them" in str(result.exception)


def test_a_version_that_cannot_be_read_is_told_of_beside_the_others(data, tmp_path):
    import shutil

    copy = shutil.copytree(data, tmp_path / "copy")
    card = next((copy / "models").rglob("card.json"))
    card.write_bytes(card.read_bytes().replace(b"tails", b"tales").replace(b"robust", b"robots"))
    result = CliRunner().invoke(app, ["models", "list", "--data", str(copy)])
    assert result.exit_code == 3
    assert "its checksum is another" in result.stderr


@pytest.fixture
def fresh(data, tmp_path):
    """A copy of the data folder, to change; the second version waits, and a day has closed since."""
    folder = tmp_path / "data"
    shutil.copytree(data, folder)
    registry = Registry(folder / "models")
    registry.roll_back(SPEC.name, at=AT, by="somebody")
    return folder


def invoke(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, ["models", *arguments], env={"GUARDRAY_MODELS__BY_HAND": "true"})
    assert result.exit_code == status, result.output
    return result.output


def test_a_version_that_waits_is_shown_beside_the_one_in_force(fresh):
    assert "no version waits" in invoke("shadow", "--data", str(fresh))
    invoke("train", "--data", str(fresh))
    day = datetime(2026, 3, 30, tzinfo=UTC)
    Archive(fresh / "archive").add(SPEC, rows_of(np.random.default_rng(5), day))
    shown = invoke("shadow", "--data", str(fresh))
    assert f"from {day.date()} to {day.date()}" in shown
    (told,) = json.loads(invoke("shadow", "--data", str(fresh), "--json"))
    assert (told["family"], told["since"]) == (SPEC.name, "2026-03-30")
    assert told["live"] in shown
    assert told["candidate"] in shown


def test_a_training_that_is_asked_for_says_what_came_of_it(fresh):
    before = {card.version for card in Registry(fresh / "models").cards()[0]}
    assert f"{SPEC.name}: it was asked for" in invoke("train", "--data", str(fresh))
    after = {card.version for card in Registry(fresh / "models").cards()[0]}
    assert before < after


def test_a_training_that_fails_says_so_and_changes_nothing(fresh):
    (fresh / "models" / "promoted.json").write_text("{}")
    assert "not trained" in invoke("train", "--data", str(fresh), status=3)
    assert (fresh / "models" / "promoted.json").read_text() == "{}"


def test_a_folder_without_an_archive_has_nothing_to_train_on(tmp_path):
    result = CliRunner().invoke(app, ["models", "train", "--data", str(tmp_path)])
    with pytest.raises(UsageError, match="nothing is kept there to learn from"):
        raise result.exception
