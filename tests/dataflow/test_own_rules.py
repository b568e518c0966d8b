"""Rules of somebody's own in a whole scan, on every engine."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from own_rules import PYTHON, RULE, SIGMA, rule_file

from guardray.custom.library import read_folders
from guardray.custom.settings import RuleFolder
from guardray.dataflow.report import dry_run, report
from guardray.dataflow.scan import Observer, ScanSettings
from guardray.intel.store import IndicatorStore
from guardray.sources.objects import KeyFilter, locate

FAILS_ON_ROWS = RULE.replace("UserCreated", "PortIsSsh").replace(
    "AND api_response_error IS NULL", "AND request('port')::INTEGER = 22"
)

EVENT = {
    "eventTime": "2026-01-12T10:00:00Z",
    "eventSource": "iam.amazonaws.com",
    "awsRegion": "us-east-1",
    "recipientAccountId": "111122223333",
    "userIdentity": {"type": "IAMUser", "userName": "alice", "principalId": "AIDA1"},
}


def test_rules_of_every_kind_find_the_same_on_every_engine(make_engine, tmp_path):
    """Their files are gone when the scan begins, as they are for the workers of a cluster."""
    rules = tmp_path / "rules"
    rules.mkdir()
    for name, text in {"a.yaml": RULE, "b.py": PYTHON, "c.yml": SIGMA, "d.yaml": FAILS_ON_ROWS}.items():
        rule_file(rules, text, name)
    read, _ = read_folders([RuleFolder(rules)])
    for path in rules.iterdir():
        path.unlink()
    logs = tmp_path / "logs"
    logs.mkdir()
    requests = [{"userName": "a"}, {"port": "ssh"}, {"port": 22}]
    names = ["CreateUser", "CreateUser", "CreateUser", "DeleteUser"]
    for index, name in enumerate(names):
        event = EVENT | {"eventID": str(index), "eventName": name, "requestParameters": requests[index % 3]}
        (logs / f"{index}.json").write_text(json.dumps({"Records": [event]}))
    settings = ScanSettings(detectors=tuple(rule.detector for rule in read), indicators=IndicatorStore())
    result = make_engine(settings).scan(locate([str(logs)], KeyFilter()), Observer())
    findings, problems = report(result, settings, datetime(2026, 2, 1, tzinfo=UTC))
    assert {finding.type: finding.count for finding in findings} == {
        "Policy:IAMUser/UserCreated": 3,
        "Policy:IAMUser/UserDeleted": 1,
        "Policy:IAMUser/PortIsSsh": 1,
    }
    assert problems == []
    assert dry_run(result, settings) == {"Persistence:CloudTrail/UserCreated.Sigma": (1, 3)}
    assert {problem.finding_type for problem in result.problems} == {"Policy:IAMUser/PortIsSsh"}
