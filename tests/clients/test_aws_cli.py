"""The AWS CLI, as it comes from its package, through the main flows."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.clients.conftest import GUEST, MANAGEMENT, Service
from tests.clients.installed import environment

Cli = Callable[..., Any]
PORTSCAN = "Recon:EC2/Portscan"


@pytest.fixture(scope="module")
def cli_of(service: Service) -> Callable[..., Cli]:
    command = environment("awscli") / "aws"

    def of(account_id: str, role: str = "admin") -> Cli:
        environ = service.environ(account_id, role)

        def run(*arguments: str, fails: bool = False) -> Any:
            done = subprocess.run(
                [command, "guardduty", *arguments, "--output", "json"], env=environ, capture_output=True, text=True
            )
            assert (done.returncode != 0) == fails, done.stderr
            return done.stderr if fails else json.loads(done.stdout or "null")

        return run

    return of


@pytest.fixture(scope="module")
def cli(cli_of: Callable[..., Cli], service: Service) -> Cli:
    return cli_of(service.account_id)


@pytest.fixture(scope="module")
def of(cli: Cli) -> tuple[str, str]:
    """The option that names the detector, which is made where there is none."""
    found = cli("list-detectors")["DetectorIds"] or [cli("create-detector", "--enable")["DetectorId"]]
    return "--detector-id", found[0]


def test_a_detector_is_made_looked_at_and_suspended(cli: Cli, of: tuple[str, str]) -> None:
    assert cli("get-detector", *of)["Status"] == "ENABLED"
    cli("update-detector", *of, "--no-enable")
    assert cli("get-detector", *of)["Status"] == "DISABLED"
    cli("update-detector", *of, "--enable", "--finding-publishing-frequency", "ONE_HOUR")
    told = cli("get-detector", *of)
    assert (told["Status"], told["FindingPublishingFrequency"]) == ("ENABLED", "ONE_HOUR")
    assert "already exists" in cli("create-detector", "--enable", fails=True)


def test_findings_are_listed_by_criteria_read_counted_archived_and_judged(cli: Cli, of: tuple[str, str]) -> None:
    cli("create-sample-findings", *of, "--finding-types", PORTSCAN, "Recon:EC2/PortProbeUnprotectedPort")
    criteria = json.dumps({"Criterion": {"type": {"Eq": [PORTSCAN]}}})
    one = cli("list-findings", *of, "--finding-criteria", criteria)["FindingIds"][0]
    (finding,) = cli("get-findings", *of, "--finding-ids", one)["Findings"]
    assert (finding["Id"], finding["Type"]) == (one, PORTSCAN)
    counted = cli("get-findings-statistics", *of, "--group-by", "FINDING_TYPE")["FindingStatistics"]
    assert PORTSCAN in {group["FindingType"] for group in counted["GroupedByFindingType"]}
    cli("update-findings-feedback", *of, "--finding-ids", one, "--feedback", "USEFUL", "--comments", "good")
    cli("archive-findings", *of, "--finding-ids", one)
    assert cli("get-findings", *of, "--finding-ids", one)["Findings"][0]["Service"]["Archived"] is True
    cli("unarchive-findings", *of, "--finding-ids", one)
    told = cli("get-findings", *of, "--finding-ids", one)["Findings"][0]["Service"]
    assert (told["Archived"], told["UserFeedback"]) == (False, "USEFUL")


def test_pages_are_followed_by_the_command_itself(cli: Cli, of: tuple[str, str]) -> None:
    cli("create-sample-findings", *of)
    until_now = {"Criterion": {"createdAt": {"LessThan": int(time.time() * 1000)}}}  # the service goes on finding
    asked = (*of, "--sort-criteria", "AttributeName=createdAt,OrderBy=ASC", "--finding-criteria", json.dumps(until_now))
    everything = cli("list-findings", *asked)["FindingIds"]
    assert len(everything) > 50
    assert cli("list-findings", *asked, "--page-size", "7")["FindingIds"] == everything
    first = cli("list-findings", *asked, "--max-items", "5")
    rest = cli("list-findings", *asked, "--starting-token", first["NextToken"])
    assert first["FindingIds"] + rest["FindingIds"] == everything


def test_filters_are_made_changed_and_forgotten(cli: Cli, of: tuple[str, str]) -> None:
    criteria = json.dumps({"Criterion": {"severity": {"Lt": 4}}})
    cli("create-filter", *of, "--name", "low-ones", "--action", "ARCHIVE", "--finding-criteria", criteria)
    named = (*of, "--filter-name", "low-ones")
    cli("update-filter", *named, "--description", "what nobody looks at", "--rank", "1")
    told = cli("get-filter", *named)
    assert (told["Action"], told["Description"]) == ("ARCHIVE", "what nobody looks at")
    assert cli("list-filters", *of)["FilterNames"] == ["low-ones"]
    cli("delete-filter", *named)
    assert "no such resource found" in cli("get-filter", *named, fails=True)


def test_a_threat_list_comes_into_use_and_goes(cli: Cli, of: tuple[str, str], service: Service) -> None:
    service.lists.mkdir(parents=True, exist_ok=True)
    (service.lists / "bad.txt").write_text("198.51.100.7\n203.0.113.0/24\n")
    new = ("--name", "bad", "--format", "TXT", "--location", f"file://{service.lists}/bad.txt", "--activate")
    named = (*of, "--threat-intel-set-id", cli("create-threat-intel-set", *of, *new)["ThreatIntelSetId"])
    _wait_for(lambda: cli("get-threat-intel-set", *named)["Status"] == "ACTIVE")
    cli("update-threat-intel-set", *named, "--no-activate")
    _wait_for(lambda: cli("get-threat-intel-set", *named)["Status"] == "INACTIVE")
    cli("delete-threat-intel-set", *named)


def test_tags_are_kept_and_taken_away(cli: Cli, of: tuple[str, str], service: Service) -> None:
    arn = f"arn:aws:guardduty:eu-west-1:{service.account_id}:detector/{of[1]}"
    cli("tag-resource", "--resource-arn", arn, "--tags", "team=security,stage=test")
    assert cli("list-tags-for-resource", "--resource-arn", arn)["Tags"] == {"team": "security", "stage": "test"}
    cli("untag-resource", "--resource-arn", arn, "--tag-keys", "stage")
    assert cli("list-tags-for-resource", "--resource-arn", arn)["Tags"] == {"team": "security"}


def test_an_account_is_invited_joins_and_leaves(cli: Cli, of: tuple[str, str], cli_of: Callable[..., Cli]) -> None:
    guest = cli_of(GUEST)
    its = ("--detector-id", guest("create-detector", "--enable")["DetectorId"])
    cli("create-members", *of, "--account-details", f"AccountId={GUEST},Email=guest@example.com")
    cli("invite-members", *of, "--account-ids", GUEST)
    (invitation,) = guest("list-invitations")["Invitations"]
    named = ("--administrator-id", invitation["AccountId"], "--invitation-id", invitation["InvitationId"])
    guest("accept-administrator-invitation", *its, *named)
    assert [one["RelationshipStatus"] for one in cli("list-members", *of)["Members"]] == ["Enabled"]
    guest("disassociate-from-administrator-account", *its)
    cli("delete-members", *of, "--account-ids", GUEST)
    assert cli("list-members", *of)["Members"] == []


def test_the_management_account_names_an_administrator(cli_of: Callable[..., Cli], service: Service) -> None:
    management = cli_of(MANAGEMENT)
    management("enable-organization-admin-account", "--admin-account-id", GUEST)
    (named,) = management("list-organization-admin-accounts")["AdminAccounts"]
    assert named == {"AdminAccountId": GUEST, "AdminStatus": "ENABLED"}
    management("disable-organization-admin-account", "--admin-account-id", GUEST)
    assert management("list-organization-admin-accounts")["AdminAccounts"] == []


def test_refusals_read_as_those_of_the_service(cli: Cli, of: tuple[str, str], cli_of: Callable[..., Cli]) -> None:
    reader = cli_of(GUEST, "reader")
    assert "(AccessDeniedException)" in reader("create-detector", "--enable", fails=True)
    assert "is not owned by the current account" in reader("get-detector", *of, fails=True)
    wrong = json.dumps({"Criterion": {"colour": {"Eq": ["red"]}}})
    assert "(BadRequestException)" in cli("list-findings", *of, "--finding-criteria", wrong, fails=True)


def _wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(1)
