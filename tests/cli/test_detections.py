"""Detections of one's own on the command line: in scans, and in `guardray detectors`."""

from __future__ import annotations

import json

import pytest
from own_rules import PYTHON, RULE, SIGMA, rule_file
from typer.testing import CliRunner

from guardray.cli.app import app
from guardray.errors import UsageError

EVENT = {
    "eventVersion": "1.11",
    "eventTime": "2026-01-12T10:00:00Z",
    "eventSource": "iam.amazonaws.com",
    "awsRegion": "us-east-1",
    "recipientAccountId": "111122223333",
    "eventType": "AwsApiCall",
    "eventCategory": "Management",
    "sourceIPAddress": "198.51.100.7",
    "userIdentity": {"type": "IAMUser", "userName": "alice", "principalId": "AIDA1", "accountId": "111122223333"},
}
EVENTS = [
    EVENT | {"eventID": "1", "eventName": "CreateUser", "requestParameters": {"userName": "mallory"}},
    EVENT | {"eventID": "2", "eventName": "CreateUser", "errorCode": "AccessDenied"},
    EVENT | {"eventID": "3", "eventName": "DeleteUser", "requestParameters": {"userName": "mallory"}},
]

BROKEN = (
    RULE.replace("userName: mallory", "userName: eve").replace("UserCreated", "Broken").replace("IS NULL", "IS NUL")
)
FAILING = (
    RULE.replace("UserCreated", "Failing").replace("fires: a user", "quiet: a user").replace("quiet: the", "fires: the")
)


@pytest.fixture
def log(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "trail.json").write_text(json.dumps({"Records": EVENTS}))
    return folder


@pytest.fixture
def rules(tmp_path):
    folder = tmp_path / "rules"
    folder.mkdir()
    rule_file(folder, RULE, "created.yaml")
    rule_file(folder, PYTHON, "deleted.py")
    rule_file(folder, SIGMA, "sigma.yml")
    return folder


def run(*arguments: str):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def scan(log, *arguments: str):
    """Types and titles of findings, the whole result, and what was said on stderr."""
    out = log.parent / "out.jsonl"
    result = run("scan", log, "-o", out, "--state", log.parent / "state", "--engine", "local", *arguments)
    assert not isinstance(result.exception, UsageError), result.exception
    found = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    return {finding["type"]: finding["title"] for finding in found}, result


def test_a_scan_finds_by_ones_own_rules_of_every_kind(log, rules):
    found, result = scan(log, "--detections", rules)
    assert found == {
        "Policy:IAMUser/UserCreated": "user alice created user mallory.",
        "Policy:IAMUser/UserDeleted": "A user was deleted.",
    }
    assert result.exit_code == 0


def test_what_a_rule_in_dry_run_would_find_is_counted_and_not_found(log, rules):
    _, result = scan(log, "--detections", rules)
    assert "dry run: Persistence:CloudTrail/UserCreated.Sigma would give 1 finding of 2 events" in result.stderr


def test_a_rule_in_dry_run_that_would_find_nothing_is_told_of_as_well(log, rules):
    elsewhere = RULE.replace("UserCreated", "Silent").replace("iam.amazonaws.com", "ec2.amazonaws.com")
    rule_file(rules, elsewhere + "mode: DRY_RUN\n", "silent.yaml")
    _, result = scan(log, "--detections", rules)
    assert "dry run: Policy:IAMUser/Silent would give 0 findings of 0 events" in result.stderr


def test_nothing_of_a_dry_run_is_stored(log, rules, tmp_path):
    rule_file(rules, RULE + "mode: DRY_RUN\n", "created.yaml")
    found, _ = scan(log, "--detections", rules, "--store", str(tmp_path / "findings.db"), "--fail-on", "low")
    assert list(found) == ["Policy:IAMUser/UserDeleted"]


def test_what_a_changed_rule_finds_is_stored_and_the_same_again_is_not(log, rules, tmp_path):
    store = ("--store", str(tmp_path / "findings.db"), "--detections", rules)
    scan(log, *store)
    assert "2 of them had been stored before" in scan(log, *store)[1].stderr
    rule_file(rules, RULE.replace("severity: low", "severity: high"), "created.yaml")
    assert "1 of them had been stored before" in scan(log, *store)[1].stderr


def test_a_scan_without_them_finds_nothing_by_them(log, rules):
    assert scan(log)[0] == {}


def test_broken_rules_are_named_and_never_stop_the_rest(log, rules):
    rule_file(rules, BROKEN, "broken.yaml")
    rule_file(rules, FAILING, "failing.yaml")
    rule_file(rules, "1 / 0\n", "raises.py")
    rule_file(rules, RULE.replace("Policy:IAMUser/UserCreated", "Policy:IAMUser/RootCredentialUsage"), "ours.yaml")
    found, result = scan(log, "--detections", rules)
    assert set(found) == {"Policy:IAMUser/UserCreated", "Policy:IAMUser/UserDeleted"}
    assert result.exit_code == 3
    for told in (
        f"not loaded: {rules / 'broken.yaml'}, line 8: not SQL",
        f"not loaded: {rules / 'failing.yaml'}: Policy:IAMUser/Failing: the example 'a user is created' fails",
        f"not loaded: {rules / 'raises.py'}, line 1: fails when it is loaded: ZeroDivisionError",
        "the finding type Policy:IAMUser/RootCredentialUsage is taken by guardray itself",
    ):
        assert told in result.stderr


def test_a_scan_may_be_for_ones_own_type_alone(log, rules):
    found, _ = scan(log, "--detections", rules, "--type", "Policy:IAMUser/UserDeleted")
    assert set(found) == {"Policy:IAMUser/UserDeleted"}


def test_a_type_that_nobody_has_is_refused(log, rules):
    result = run("scan", log, "--detections", rules, "--type", "Policy:IAMUser/Nothing")
    assert isinstance(result.exception, UsageError)
    assert "Policy:IAMUser/Nothing" in str(result.exception)


def test_a_folder_that_is_not_there_is_refused(log, tmp_path):
    result = run("scan", log, "--detections", tmp_path / "nowhere")
    assert isinstance(result.exception, UsageError)


def listed(*arguments: str) -> dict[str, dict]:
    return {entry["type"]: entry for entry in json.loads(run("detectors", "list", "-f", "json", *arguments).stdout)}


def test_the_list_has_ones_own_types_with_mode_and_whether_they_are_active(rules):
    rule_file(rules, FAILING, "failing.yaml")
    entries = listed("--detections", rules)
    created = entries["Policy:IAMUser/UserCreated"]
    assert (created["active"], created["mode"], created["file"]) == (True, "LIVE", str(rules / "created.yaml"))
    assert created["description"] == "Somebody created a user."
    assert entries["Policy:IAMUser/UserDeleted"]["description"] == "Somebody deleted a user."
    assert entries["Persistence:CloudTrail/UserCreated.Sigma"]["mode"] == "DRY_RUN"
    failing = entries["Policy:IAMUser/Failing"]
    assert not failing["active"]
    assert "the example 'a user is created' fails" in failing["why_not"]


def test_the_table_tells_of_dry_runs_and_of_rules_that_are_not_loaded(rules):
    rule_file(rules, BROKEN, "broken.yaml")
    result = run("detectors", "list", "--detections", rules)
    assert "dry run" in result.stdout
    assert "3 of your own" in result.stdout
    assert "broken.yaml, line 8: not SQL" in result.stderr


def test_the_cell_of_a_rule_that_fails_is_short_and_its_whole_message_is_below_the_table(rules):
    path = rule_file(rules, FAILING.replace("a user is created", "a user " + "with a long name " * 9), "failing.yaml")
    result = run("detectors", "list", "--detections", rules)
    assert "the example 'a user with a long" in result.stdout
    assert " …" in result.stdout
    assert str(path) not in result.stdout
    assert f"{path}: Policy:IAMUser/Failing: the example 'a user with a long name" in result.stderr


def test_show_has_no_headings_without_examples_below_them(rules):
    output = run("detectors", "show", "Persistence:CloudTrail/UserCreated.Sigma", "--detections", rules).stdout
    assert "It fires when" not in output
    assert "It stays quiet when" not in output


def test_the_cost_of_ones_own_rule_is_said_to_be_unknown(rules):
    output = run("detectors", "show", "Policy:IAMUser/UserCreated", "--detections", rules).stdout
    assert "Cost                  not measured" in output


def test_show_explains_a_rule_of_ones_own(rules):
    output = run("detectors", "show", "Policy:IAMUser/UserCreated", "--detections", rules).stdout
    for told in ("Somebody created a user.", "created.yaml", "a user is created", "the call is denied", "LIVE"):
        assert told in output


def test_show_tells_what_a_type_looks_at_learns_and_remembers():
    output = run("detectors", "show", "Recon:IAMUser/MaliciousIPCaller").stdout
    assert "a list of malicious addresses" in output
    assert "Discovery" in output
    assert "each row is judged alone" in output
    output = " ".join(run("detectors", "show", "UnauthorizedAccess:EC2/SSHBruteForce").stdout.split())
    assert "in a window of" in output


def test_check_runs_every_example(rules):
    result = run("detectors", "check", rules)
    assert result.exit_code == 0
    assert "pass  fires: a user is created" in result.stdout
    assert "pass  quiet: the call is denied" in result.stdout
    assert "no examples" in result.stdout
    assert "3 detections, 4 examples passed, 0 failed, 0 not loaded" in result.stdout


def test_check_fails_where_an_example_does_or_a_file_cannot_be_read(rules):
    rule_file(rules, FAILING, "failing.yaml")
    result = run("detectors", "check", rules / "failing.yaml")
    assert result.exit_code == 2
    assert "FAIL  quiet: a user is created: expected none, got a finding by 'rule'" in result.stdout
    assert "FAIL  fires: the call is denied: expected a finding, got none" in result.stdout
    assert run("detectors", "check", rule_file(rules, BROKEN, "broken.yaml")).exit_code == 2


@pytest.mark.parametrize(
    ("change", "failure"),
    [
        (("severity: 2", "severity: 8"), "expected severity 8, got 2"),
        (("actor_user_type", "bucket_nam"), "no column"),
    ],
)
def test_check_tells_why_an_example_fails(tmp_path, change, failure):
    text = RULE.replace("    row: &call\n", "    severity: 2\n    row: &call\n      actor_user_type: IAMUser\n")
    result = run("detectors", "check", rule_file(tmp_path, text.replace(*change)))
    assert result.exit_code == 2
    assert failure in result.stdout


def test_check_tells_of_a_python_detector_that_fails(tmp_path):
    text = PYTHON.replace("title=TITLE", "title=row['no_column']")
    result = run("detectors", "check", rule_file(tmp_path, text, "mine.py"))
    assert result.exit_code == 2
    assert "FAIL  fires: a user is deleted" in result.stdout
    assert "no_column" in result.stdout


@pytest.mark.parametrize("text", [PYTHON.replace("title=TITLE", "title=row['no_column']"), "{}['no_column']\n"])
def test_check_shows_tracebacks_where_they_are_asked_for(tmp_path, text):
    path = rule_file(tmp_path, text, "mine.py")
    assert "Traceback" not in run("detectors", "check", path).stdout
    told = run("detectors", "check", path, "--verbose").stdout
    assert "Traceback" in told
    assert f'File "{path}", line ' in told
