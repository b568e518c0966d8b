"""Cloud Custodian: its filter of accounts, its resource of findings, and its mode that reacts to a finding."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from guardray.publish.messages import DEFAULT_SOURCE, event
from guardray.store.outbox import Delivery
from tests.clients.conftest import REGION, Service
from tests.clients.installed import environment
from tests.clients.sessions import client_of

SSH = "UnauthorizedAccess:EC2/SSHBruteForce"
POLICIES = {
    "policies": [
        {
            "name": "is-on",
            "resource": "aws.account",
            "filters": [{"type": "guard-duty", "Detector.Status": "ENABLED"}],
        },
        {
            "name": "is-off",
            "resource": "aws.account",
            "filters": [{"type": "guard-duty", "Detector.Status": "DISABLED"}],
        },
        {
            "name": "brute-force",
            "resource": "aws.guardduty-finding",
            "filters": [{"type": "value", "key": "Type", "value": SSH}],
        },
    ]
}
REACTING = """
import json, sys
from c7n.config import Config
from c7n.policy import Policy, execution
from c7n.resources import load_resources
from c7n.mu import CloudWatchEventSource
event = json.load(sys.stdin)
load_resources(("aws.ec2",))
mode = {"type": "guard-duty", "role": "arn:aws:iam::111122223333:role/x", "resource-filter": "Instance"}
policy = Policy({"name": "react", "resource": "ec2", "mode": mode}, Config.empty(region="eu-west-1"))
pattern = json.loads(CloudWatchEventSource(mode, None).render_event_pattern())
print(json.dumps({
    "resource": execution["guard-duty"].id_exprs["ec2"].search(event),
    "account": execution["guard-duty"](policy).get_member_account_id(event),
    "pattern": pattern,
}))
"""


@pytest.fixture
def finding(service: Service) -> dict[str, Any]:
    """A sample, as GetFindings has it on the wire."""
    client = client_of(service, service.account_id)
    detectors = client.list_detectors()["DetectorIds"] or [client.create_detector(Enable=True)["DetectorId"]]
    of = {"DetectorId": detectors[0]}
    client.create_sample_findings(**of, FindingTypes=[SSH])
    ids = client.list_findings(**of, FindingCriteria={"Criterion": {"type": {"Eq": [SSH]}}})["FindingIds"]
    raw: list[bytes] = []
    client.meta.events.register("before-parse.guardduty", lambda response_dict, **_: raw.append(response_dict["body"]))
    client.get_findings(**of, FindingIds=ids[:1])
    found: dict[str, Any] = json.loads(raw[-1])["findings"][0]
    return found


def test_policies_see_the_account_and_its_findings(service: Service, finding: dict[str, Any], tmp_path: Path) -> None:
    file, out = tmp_path / "policies.json", tmp_path / "out"
    file.write_text(json.dumps(POLICIES))
    command = [environment("c7n") / "custodian", "run", "--output-dir", out, "--region", REGION, file]
    environ = service.environ(service.account_id, "reader") | {"HOME": str(tmp_path)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = {one.parent.name: json.loads(one.read_text()) for one in out.glob("*/resources.json")}
    assert (len(found["is-on"]), found["is-off"]) == (1, [])
    assert finding["id"] in {one["Id"] for one in found["brute-force"]}


def test_its_reaction_finds_the_instance_in_the_event_that_is_published(
    finding: dict[str, Any], service: Service
) -> None:
    sent = json.loads(event(_delivery(finding), DEFAULT_SOURCE))
    python = environment("c7n") / "python"
    done = subprocess.run(
        [python, "-c", REACTING],
        input=json.dumps(sent),
        env=service.environ(service.account_id),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["account"] == service.account_id
    assert told["resource"] == finding["resource"]["instanceDetails"]["instanceId"]
    # Its rule waits for a source that only AWS may name, so that a rule for ours is needed beside it.
    assert told["pattern"].pop("source") == ["aws.guardduty"]
    assert told["pattern"] == {
        "detail-type": [sent["detail-type"]],
        "detail": {"resource": {"resourceType": [finding["resource"]["resourceType"]]}},
    }


def _delivery(finding: dict[str, Any]) -> Delivery:
    return Delivery(
        destination="events",
        finding_id=finding["id"],
        change=1,
        first=True,
        attempts=0,
        failing_since=None,
        lease="",
        account_id=finding["accountId"],
        region=REGION,
        type=finding["type"],
        severity=finding["severity"],
        updated_at=datetime.fromisoformat(finding["updatedAt"]),
        json=json.dumps(finding),
    )
