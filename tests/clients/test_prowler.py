"""Prowler's checks of GuardDuty."""

from __future__ import annotations

import csv
import subprocess
from pathlib import Path

import pytest

from tests.clients.conftest import REGION, Service
from tests.clients.installed import environment
from tests.clients.sessions import client_of

PASS = {"guardduty_is_enabled", "guardduty_s3_protection_enabled"}
"""What guardray has. The other protections are not in it, and say so."""

NOT_OURS = {
    "guardduty_ai_protection_enabled",
    "guardduty_ec2_malware_protection_enabled",
    "guardduty_eks_audit_log_enabled",
    "guardduty_eks_runtime_monitoring_enabled",
    "guardduty_lambda_protection_enabled",
    "guardduty_rds_protection_enabled",
    "guardduty_runtime_monitoring_enabled",
}


@pytest.fixture
def verdicts(service: Service, tmp_path: Path) -> dict[str, str]:
    """What each check said of an account with a detector that is on."""
    client = client_of(service, service.account_id)
    if not client.list_detectors()["DetectorIds"]:
        client.create_detector(Enable=True)
    command = [environment("prowler") / "prowler", "aws", "--service", "guardduty", "-f", REGION, "--no-banner"]
    environ = service.environ(service.account_id, "reader") | {"HOME": str(tmp_path)}
    done = subprocess.run(
        [*command, "-M", "csv", "-o", tmp_path, "--ignore-exit-code-3"], env=environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "CRITICAL" not in done.stdout, done.stdout
    (report,) = tmp_path.glob("*.csv")
    with report.open() as lines:
        return {row["CHECK_ID"]: row["STATUS"] for row in csv.DictReader(lines, delimiter=";")}


def test_every_check_has_a_verdict_that_is_true_of_this_service(verdicts: dict[str, str]) -> None:
    assert {check for check, verdict in verdicts.items() if verdict == "PASS"} >= PASS
    assert {check for check in NOT_OURS if verdicts[check] != "FAIL"} == set()
    assert "guardduty_no_high_severity_findings" in verdicts
