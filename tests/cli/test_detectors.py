"""`guardray detectors`."""

from __future__ import annotations

import importlib
import io
import json
from dataclasses import replace

import pytest
from rich.console import Console
from typer.testing import CliRunner

from guardray.cli.detector_pages import entries_table
from guardray.cli.detectors import app
from guardray.detectors.costs import measured_costs
from guardray.detectors.loader import declaring_modules, load_detectors
from guardray.errors import UsageError
from guardray.intel.store import IndicatorStore
from guardray.rulebook.entries import entries, missing_indicators, tunable_reasons

NOTHING = IndicatorStore()
ROOT_USE = "Policy:IAMUser/RootCredentialUsage"


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def listed_as_json(*options: str) -> dict[str, dict]:
    return {entry["type"]: entry for entry in json.loads(run("list", "--format", "json", *options))}


def test_json_lists_every_detector_with_its_facts():
    listed = listed_as_json()
    assert list(listed) == [detector.finding_type for detector in load_detectors()]
    assert listed[ROOT_USE] == {
        "type": ROOT_USE,
        "source": "cloudtrail-management",
        "method": "rule",
        "severity": 2.0,
        "severities": [2.0],
        "active": True,
        "why_not": None,
        "tactic": "Privilege Escalation",
        "needs": "",
        "learning": "none",
        "state": "nothing: each row is judged alone",
        "ns_per_row": measured_costs().ns_per_row[ROOT_USE],
        "role": "TARGET",
        "entity": [],
        "tunables": {},
        "description": "Someone used the credentials of the account's root user.",
        "mode": "LIVE",
        "file": None,
    }


def test_types_that_look_at_lists_are_inactive_when_no_list_is_given():
    inactive = {entry.type for entry in entries(NOTHING) if not entry.active}
    assert inactive == {d.finding_type for d in load_detectors() if d.wanted_lists}


def test_why_not_names_category_and_option_when_a_type_is_inactive():
    listed = listed_as_json()
    feeds = listed["Recon:IAMUser/MaliciousIPCaller"]["why_not"]
    custom = listed["Recon:IAMUser/MaliciousIPCaller.Custom"]["why_not"]
    assert feeds == "needs a list of addresses of category malicious: --intel"
    assert custom == "needs a list of addresses of category custom: --threat-list"


def test_custom_types_are_active_when_a_threat_list_is_given(tmp_path):
    addresses = tmp_path / "ours.txt"
    addresses.write_text("198.51.100.7\n")
    listed = listed_as_json("--threat-list", str(addresses))
    assert listed["Recon:IAMUser/MaliciousIPCaller.Custom"]["active"]
    assert not listed["Recon:IAMUser/MaliciousIPCaller"]["active"]


def test_types_of_a_category_are_active_when_a_feed_of_it_is_given(tmp_path):
    (tmp_path / "bad.txt").write_text("198.51.100.7\n")
    feeds = tmp_path / "intel.yaml"
    feeds.write_text("feeds: [{name: bad, url: bad.txt, kind: ip, category: malicious}]\n")
    listed = listed_as_json("--intel", str(feeds))
    assert listed["Recon:IAMUser/MaliciousIPCaller"]["active"]
    assert not listed["Recon:IAMUser/MaliciousIPCaller.Custom"]["active"]


def test_a_list_of_domains_does_not_serve_a_type_that_looks_at_addresses():
    domains = IndicatorStore.of({"bad.example.com": "malicious"})
    addresses = IndicatorStore.of({"198.51.100.7": "malicious"})
    (detector,) = load_detectors(["Recon:IAMUser/MaliciousIPCaller"])
    assert missing_indicators(detector, domains) is not None
    assert missing_indicators(detector, addresses) is None


def test_every_description_is_one_sentence():
    for entry in entries(NOTHING):
        assert entry.description[0].isupper(), entry
        assert entry.description.endswith("."), entry
        assert entry.type not in entry.description, entry


def test_tunables_are_explained_by_the_constants_that_they_come_from(tmp_path, monkeypatch):
    """A constant of the same value and the same name, or a longer one; one of another value explains nothing."""
    (tmp_path / "floods.py").write_text(
        'UDP_PACKETS = 300\n"""As many as\nthat."""\n\nTCP_PACKETS = 600\n"""More."""\n\nHOSTS = 5\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    (detector,) = load_detectors([ROOT_USE])
    tuned = replace(detector, tunables={"packets": 300, "hosts": 5})
    assert tunable_reasons(tuned, importlib.import_module("floods")) == {"packets": "As many as\nthat."}


def test_table_names_every_type_and_counts_them():
    output = run("list")
    assert all(detector.finding_type in output for detector in load_detectors())
    assert f"{len(load_detectors())} finding types" in output


def test_show_prints_explanation_tunables_and_examples():
    output = run("show", "Stealth:IAMUser/CloudTrailLoggingDisabled")
    assert "a trail no longer logs, or logs less than it did" in output
    assert "delivery_fresh_s" in output
    assert "86,400" in output
    assert "a trail is stopped" in output
    assert "another bucket is deleted" in output


def test_show_refuses_a_type_that_has_no_detector():
    with pytest.raises(UsageError, match="Stealth:IAMUser/Nothing"):
        run("show", "Stealth:IAMUser/Nothing")


def test_a_tunable_that_detectors_share_is_explained_where_it_is_defined():
    module = declaring_modules()["Persistence:IAMUser/AnomalousBehavior"]
    (detector,) = load_detectors(["Persistence:IAMUser/AnomalousBehavior"])
    reasons = tunable_reasons(detector, module)
    assert set(reasons) == set(detector.tunables)
    assert reasons["history_days"].startswith("Days on which anything was seen")
    assert reasons["new_to_account"] == reasons["new_to_principal"]


def test_every_type_has_a_cost_with_the_processor_and_the_day_that_it_was_measured_on():
    costs = measured_costs()
    assert set(costs.ns_per_row) == {detector.finding_type for detector in load_detectors()}
    assert f"measured alone on one core ({costs.processor}, {costs.measured_on})" in run("show", ROOT_USE)


@pytest.mark.parametrize(
    ("finding_type", "needs"),
    [
        (ROOT_USE, ""),
        ("UnauthorizedAccess:EC2/TorClient", "a list of tor-entry addresses"),
        ("Backdoor:EC2/C&CActivity.B!DNS", "a list of c2 domains"),
        ("Discovery:S3/AnomalousBehavior", "logs of earlier days"),
        ("Recon:EC2/PortProbeEMRUnprotectedPort", "a list of scanner addresses and an inventory of instances"),
    ],
)
def test_each_type_says_what_it_cannot_work_without(finding_type, needs):
    assert listed_as_json()[finding_type]["needs"] == needs


def test_methods_and_logs_are_called_by_one_set_of_words():
    listed = listed_as_json()
    assert {entry["method"] for entry in listed.values()} == {"rule", "intel", "behaviour"}
    assert listed["Recon:EC2/Portscan"]["method"] == "rule"
    assert listed["UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B"]["method"] == "behaviour"


def test_show_as_json_has_the_entry_of_the_list_and_the_examples():
    shown = json.loads(run("show", ROOT_USE, "--format", "json"))
    assert shown["entry"] == listed_as_json()[ROOT_USE]
    assert shown["fires"]
    assert shown["quiet"]


@pytest.mark.parametrize("width", [60, 100, 160])
def test_a_table_for_any_width_has_a_line_or_two_a_type(width):
    stream = io.StringIO()
    listed = entries(NOTHING)
    Console(file=stream, width=width).print(entries_table(listed, width))
    lines = stream.getvalue().splitlines()
    assert len(lines) < 2 * len(listed) + 10
    assert max(map(len, lines)) <= width
