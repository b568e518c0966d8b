"""What the registry promises: versions as they were kept, or an error that names the file and why."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models.specs import ACCOUNT, NAMES, SPEC, usual_features

from guardray.errors import ModelError, UsageError
from guardray.models.artefact import dumped, loaded
from guardray.models.card import BackTest, Card
from guardray.models.catalogue import MAKERS, make
from guardray.models.family import AccountModel, Family
from guardray.models.fitted import Fitted
from guardray.models.in_force import in_force
from guardray.models.registry import Registry

AT = datetime(2026, 3, 30, 12, tzinfo=UTC)


def family_of(name: str = "robust", seed: int = 1, definition: str = SPEC.definition) -> Family:
    rows = usual_features(np.random.default_rng(seed), 200)
    own = AccountModel(Fitted.of(make("robust"), rows), 0.5, 4.0, 14, 200)
    return Family(SPEC.name, definition, NAMES, Fitted.of(make(name), rows), {ACCOUNT: own})


def card_of(version: str, **changes) -> Card:
    return Card(
        **{
            "family": SPEC.name,
            "version": version,
            "model": "robust",
            "definition": SPEC.definition,
            "features": NAMES,
            "since": "2026-03-02",
            "until": "2026-03-29",
            "accounts": 1,
            "rows": 200,
            "days": 28,
            "left_out": 0,
            "budget": 1.0,
            "back_test": BackTest(days=7, accounts=1, findings_per_account_week=0.5),
            "archive": "0" * 32,
            "code": "1",
        }
        | changes
    )


@pytest.fixture
def registry(tmp_path):
    return Registry(tmp_path / "models")


def put(registry: Registry, *versions: str) -> None:
    for seed, version in enumerate(versions):
        registry.add(family_of(seed=seed), card_of(version))
        registry.promote(SPEC.name, version, at=AT, by="somebody")


@pytest.mark.parametrize("name", MAKERS)
def test_a_model_scores_the_same_to_the_last_bit_once_it_was_kept(name, registry):
    family = family_of(name)
    registry.add(family, card_of("one"))
    again = registry.load(SPEC.name, "one")
    asked = usual_features(np.random.default_rng(7), 50) * 4
    one = family.accounts[ACCOUNT]
    assert np.array_equal(again.surprisal(again.accounts[ACCOUNT], asked), family.surprisal(one, asked))
    assert np.array_equal(again.contributions(again.accounts[ACCOUNT], asked), family.contributions(one, asked))


def test_a_card_tells_of_the_file(registry):
    card = registry.add(family_of(), card_of("one"))
    assert card.size == (registry.root / SPEC.name / "one" / "model.skops").stat().st_size
    assert registry.card(SPEC.name, "one") == card
    assert registry.cards() == ([card], [])


def test_a_version_is_written_once(registry):
    first = registry.add(family_of(seed=1), card_of("one"))
    assert registry.add(family_of(seed=2), card_of("one")) == first


@pytest.mark.parametrize("file", ["model.skops", "card.json"])
@settings(max_examples=60)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_change_of_any_bit_is_refused(tmp_path_factory, file, place, bit):
    registry = Registry(tmp_path_factory.mktemp("registry"))
    registry.add(family_of(), card_of("one"))
    path = registry.root / SPEC.name / "one" / file
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] ^= 1 << bit
    path.write_bytes(data)
    with pytest.raises(ModelError) as refused:
        registry.load(SPEC.name, "one")
    assert refused.value.path == str(path)
    assert refused.value.reason


@settings(max_examples=60)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_changed_list_of_what_is_in_force_is_refused(tmp_path_factory, place, bit):
    registry = Registry(tmp_path_factory.mktemp("registry"))
    put(registry, "one")
    path = registry.root / "promoted.json"
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] ^= 1 << bit
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"promoted\.json"):
        registry.promotions()


def test_types_that_no_model_has_are_refused_before_anything_is_built():
    with zipfile.ZipFile(BytesIO(dumped(family_of()))) as good:
        files = {name: good.read(name) for name in good.namelist()}
    files["schema.json"] = (
        files["schema.json"].replace(b'"guardray.models.robust"', b'"subprocess"').replace(b'"Robust"', b'"Popen"')
    )
    bad = BytesIO()
    with zipfile.ZipFile(bad, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    with pytest.raises(ModelError, match=r"somewhere: it holds types that no model has: subprocess\.Popen"):
        loaded(bad.getvalue(), "somewhere")


@pytest.mark.parametrize("data", [b"", b"no archive", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_model_file_is_refused(data):
    with pytest.raises(ModelError, match="somewhere: it cannot be read"):
        loaded(data, "somewhere")


def test_a_file_with_something_else_is_refused():
    from skops.io import dumps

    with pytest.raises(ModelError, match="not of format"):
        loaded(dumps({"format": 0}), "somewhere")
    with pytest.raises(ModelError, match="no family"):
        loaded(dumps({"format": 1, "family": [1, 2]}), "somewhere")


def test_a_version_that_is_not_there_is_told_of(registry):
    with pytest.raises(ModelError, match=r"none.card\.json: it is missing"):
        registry.load(SPEC.name, "none")


def test_another_version_s_file_is_refused(registry):
    put(registry, "one", "two")
    one, two = (registry.root / SPEC.name / name / "model.skops" for name in ("one", "two"))
    one.write_bytes(two.read_bytes())
    with pytest.raises(ModelError, match="its checksum is another"):
        registry.load(SPEC.name, "one")


def test_promotions_are_remembered_and_taken_back_one_by_one(registry):
    put(registry, "one", "two", "three")
    assert registry.promotions().in_force == {SPEC.name: "three"}
    assert registry.roll_back(SPEC.name, at=AT, by="somebody", reason="too many").before == "three"
    assert registry.promotions().in_force == {SPEC.name: "two"}
    registry.roll_back(SPEC.name, at=AT, by="somebody")
    assert registry.promotions().in_force == {SPEC.name: "one"}
    with pytest.raises(UsageError, match="no other version was in force before"):
        registry.roll_back(SPEC.name, at=AT, by="somebody")
    assert [one.version for one in registry.promotions().history] == ["one", "two", "three", "two", "one"]


def test_what_cannot_be_loaded_is_not_promoted(registry):
    put(registry, "one")
    registry.add(family_of(seed=5), card_of("two"))
    (registry.root / SPEC.name / "two" / "model.skops").write_bytes(b"else")
    with pytest.raises(ModelError):
        registry.promote(SPEC.name, "two", at=AT, by="somebody")
    assert registry.promotions().in_force == {SPEC.name: "one"}


def test_the_last_good_version_stays_in_force_when_the_latest_cannot_be_used(registry):
    put(registry, "one", "two")
    path = registry.root / SPEC.name / "two" / "model.skops"
    path.write_bytes(path.read_bytes() + b"x")
    models, errors = in_force(registry, [SPEC])
    assert models.versions == {SPEC.name: "one"}
    assert [error.path for error in errors] == [str(path)]


def test_a_model_of_other_features_is_not_used(registry):
    registry.add(family_of(definition="f" * 32), card_of("one", definition="f" * 32))
    registry.promote(SPEC.name, "one", at=AT, by="somebody")
    models, errors = in_force(registry, [SPEC])
    assert models.families == {}
    assert "it learned other features" in str(errors[0])


def test_a_registry_that_is_not_there_has_no_models(registry):
    models, errors = in_force(registry, [SPEC])
    assert (models.families, models.version, errors) == ({}, "none", [])


def test_what_a_killed_process_left_does_not_count(registry):
    part = registry.root / SPEC.name / ".one.partial"
    part.mkdir(parents=True)
    (part / "card.json").write_text("{")
    (registry.root / SPEC.name / "one").mkdir()
    assert registry.cards() == ([], [])
    put(registry, "one")
    assert registry.load(SPEC.name, "one").spec == SPEC.name
    assert not part.exists()
