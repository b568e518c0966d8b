"""Folders of rules: all that can be read is, and what cannot is told beside it."""

from __future__ import annotations

import pytest
from own_rules import PYTHON, RULE, SIGMA, rule_file

from guardray.custom.library import OwnRule, Refused, read_file, read_folders, rule_files, without_duplicates
from guardray.custom.settings import RuleFolder, folders_of
from guardray.detectors.iam import anomalous_behavior
from guardray.errors import UsageError


def test_files_of_every_kind_are_read_in_the_order_of_their_names(tmp_path):
    rule_file(tmp_path, PYTHON, "a.py")
    rule_file(tmp_path, SIGMA, "c.yml")
    (tmp_path / "b").mkdir()
    rule_file(tmp_path / "b", RULE)
    rule_file(tmp_path, "not a rule", "README.md")
    rule_file(tmp_path, "not a rule", "_helper.py")
    (tmp_path / ".git").mkdir()
    rule_file(tmp_path / ".git", "not a rule")
    rules, refused = read_folders([RuleFolder(tmp_path)])
    assert [(rule.kind, rule.detector.finding_type) for rule in rules] == [
        ("python", "Policy:IAMUser/UserDeleted"),
        ("sql", "Policy:IAMUser/UserCreated"),
        ("sigma", "Persistence:CloudTrail/UserCreated.Sigma"),
    ]
    assert refused == []


def test_a_broken_file_leaves_the_others(tmp_path):
    rule_file(tmp_path, "x = (", "a.py")
    rule_file(tmp_path, "[", "b.yaml")
    rule_file(tmp_path, RULE.replace("title:", "titel:"), "c.yaml")
    rule_file(tmp_path, "", "d.yaml")
    rule_file(tmp_path, RULE, "e.yaml")
    rules, refused = read_folders([RuleFolder(tmp_path)])
    assert [rule.path.name for rule in rules] == ["e.yaml"]
    assert [one.path.name for one in refused] == ["a.py", "b.yaml", "c.yaml", "d.yaml"]
    assert all(str(one.path) in one.reason for one in refused)
    assert refused[2].finding_type == "Policy:IAMUser/UserCreated"


def test_one_rule_of_a_file_with_several_may_be_refused(tmp_path):
    text = f"{SIGMA}---\n{SIGMA.replace('product: aws', 'product: gcp')}---\n{SIGMA.replace('User created', 'Other')}"
    read = list(read_file(rule_file(tmp_path, text, "rules.yml")))
    assert [type(one) for one in read] == [OwnRule, Refused, OwnRule]


def test_the_first_rule_of_a_finding_type_is_kept(tmp_path):
    rule_file(tmp_path, RULE, "a.yaml")
    rule_file(tmp_path, RULE, "b.yaml")
    rules, _ = read_folders([RuleFolder(tmp_path)])
    kept, refused = without_duplicates(rules, [])
    assert [rule.path.name for rule in kept] == ["a.yaml"]
    assert refused[0].reason.endswith(f"the finding type Policy:IAMUser/UserCreated is taken by {tmp_path / 'a.yaml'}")


def test_guardrays_own_types_are_taken(tmp_path):
    rules, _ = read_folders([RuleFolder(rule_file(tmp_path))])
    kept, refused = without_duplicates(rules, [rules[0].detector])
    assert kept == []
    assert refused[0].reason.endswith("is taken by guardray itself")


def test_what_an_author_wrote_is_kept_for_people(tmp_path):
    text = RULE + "references: [https://example.com/a]\ntunables: {most: {value: 3, reason: enough}}\n"
    (rule,) = read_file(rule_file(tmp_path, text))
    assert rule.about == "Somebody created a user.\n\nReferences: https://example.com/a"
    assert rule.reasons == {"most": "enough"}
    assert rule.detector.tunables == {"most": 3.0}


def test_a_path_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no such file or folder of detections"):
        rule_files(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="no such file or folder of detections"):
        folders_of([tmp_path / "nowhere"])


class TestSettings:
    """A file that names folders, such as configs/detections.yaml."""

    def settings(self, tmp_path, text: str):
        return folders_of([rule_file(tmp_path, text, "detections.yaml")])

    def test_folders_start_at_the_file_and_may_be_switched_off(self, tmp_path):
        for name in ("a", "b", "c"):
            (tmp_path / name).mkdir()
        text = "detections:\n- path: a\n- {path: b, enabled: false}\n- {path: c, mode: DRY_RUN}\n"
        assert self.settings(tmp_path, text) == [RuleFolder(tmp_path / "a"), RuleFolder(tmp_path / "c", "DRY_RUN")]

    def test_the_mode_of_a_folder_counts_before_that_of_a_rule(self, tmp_path):
        rule = rule_file(tmp_path)
        (one,), _ = read_folders([RuleFolder(rule, "DRY_RUN")])
        (other,), _ = read_folders([RuleFolder(rule)])
        assert (one.detector.mode, other.detector.mode) == ("DRY_RUN", "LIVE")

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("detections:\n- path: nowhere\n", "line 2: there is no .*nowhere"),
            ("detections:\n- path: .\n  mode: dry\n", "line 3: Invalid enum value 'dry'"),
            ("detections:\n- pth: .\n", "unknown field `pth`"),
            ("detections: .\n", "line 1: Expected `array`"),
        ],
    )
    def test_what_is_wrong_is_told(self, tmp_path, text, reason):
        with pytest.raises(UsageError, match=reason):
            self.settings(tmp_path, text)

    def test_a_file_that_is_a_rule_names_no_folders(self, tmp_path):
        path = rule_file(tmp_path)
        assert folders_of([path]) == [RuleFolder(path)]

    def test_a_broken_file_is_left_to_whoever_reads_rules(self, tmp_path):
        path = rule_file(tmp_path, "[")
        assert folders_of([path]) == [RuleFolder(path)]


def test_an_activity_that_another_detector_counts_otherwise_is_told_of_and_not_loaded(tmp_path):
    text = (
        "from dataclasses import replace\n"
        "import polars as pl\n"
        "from guardray.detectors.iam import anomalous_behavior as ours\n"
        "OTHER = replace(ours.CALLS, where=ours.CALLS.where & (pl.col('api_operation') != 'X'))\n"
        "DETECTOR = replace(ours.DETECTORS[0], finding_type='Persistence:IAMUser/Own', activity=OTHER)\n"
    )
    rules, _ = read_folders([RuleFolder(rule_file(tmp_path, text, "own.py"))])
    kept, refused = without_duplicates(rules, [anomalous_behavior.DETECTORS[0]])
    assert kept == []
    assert "two different activities are named 'management calls'" in refused[0].reason
