"""What AWS's own finding tester does, in an account that has done nothing else: every type of it is found.

The tester works on instances and sessions that have just begun, so none of these types may need to learn first. Each
scenario is one attack of the simulator; it alone is in the logs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from indicators import store_of_files

from guardray.dataflow.local import LocalEngine
from guardray.dataflow.report import report
from guardray.dataflow.scan import Observer, ScanSettings
from guardray.detectors.declare import ActivityDetector
from guardray.detectors.loader import load_detectors
from guardray.findings.wire import to_json
from guardray.geo.geography import Geography
from guardray.simulate import Rates
from guardray.simulate.attacks import ATTACKS, Attack, Scene
from guardray.simulate.dns.files import write_queries
from guardray.simulate.episodes import Episodes
from guardray.simulate.flow.files import FlowFiles
from guardray.simulate.indicators import Indicators, write_indicators
from guardray.simulate.labels import Label
from guardray.simulate.layout import Output
from guardray.simulate.period import DEFAULT_START, Period
from guardray.simulate.trail.files import write_calls
from guardray.simulate.trail.templates import Templates
from guardray.simulate.world import build_account
from guardray.sources.objects import locate

SEED = 9

TESTED = (
    "Backdoor:EC2/C&CActivity.B!DNS",
    "Backdoor:EC2/DenialOfService.Dns",
    "Backdoor:EC2/DenialOfService.Udp",
    "CryptoCurrency:EC2/BitcoinTool.B!DNS",
    "Discovery:S3/MaliciousIPCaller.Custom",
    "Discovery:S3/TorIPCaller",
    "Impact:EC2/AbusedDomainRequest.Reputation",
    "Impact:EC2/BitcoinDomainRequest.Reputation",
    "Impact:EC2/MaliciousDomainRequest.Reputation",
    "Impact:EC2/SuspiciousDomainRequest.Reputation",
    "PenTest:IAMUser/KaliLinux",
    "PenTest:S3/KaliLinux",
    "Policy:S3/AccountBlockPublicAccessDisabled",
    "Policy:S3/BucketAnonymousAccessGranted",
    "Policy:S3/BucketBlockPublicAccessDisabled",
    "Policy:S3/BucketPublicAccessGranted",
    "Recon:EC2/Portscan",
    "Recon:IAMUser/MaliciousIPCaller.Custom",
    "Recon:IAMUser/TorIPCaller",
    "Stealth:IAMUser/CloudTrailLoggingDisabled",
    "Stealth:IAMUser/PasswordPolicyChange",
    "Stealth:S3/ServerAccessLoggingDisabled",
    "Trojan:EC2/BlackholeTraffic!DNS",
    "Trojan:EC2/DGADomainRequest.C!DNS",
    "Trojan:EC2/DNSDataExfiltration",
    "Trojan:EC2/DriveBySourceTraffic!DNS",
    "Trojan:EC2/DropPoint!DNS",
    "Trojan:EC2/PhishingDomainRequest!DNS",
    "UnauthorizedAccess:EC2/MaliciousIPCaller.Custom",
    "UnauthorizedAccess:EC2/RDPBruteForce",
    "UnauthorizedAccess:EC2/SSHBruteForce",
    "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS",
    "UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom",
    "UnauthorizedAccess:IAMUser/TorIPCaller",
    "UnauthorizedAccess:S3/MaliciousIPCaller.Custom",
    "UnauthorizedAccess:S3/TorIPCaller",
)
"""Source: guardduty-tester of awslabs, as of 2026; those types of it that the four kinds of logs show."""

BUILDS_ON_EARLIER_CALLS = "the bucket of a trail is deleted"
"""The title of the one attack of these types that takes a trail to have been made before; the tester does not do it."""


def named(*attacks: Attack) -> list[Any]:
    return [pytest.param(attack, id=f"{attack.finding_type} {attack.title}") for attack in attacks]


@dataclass(frozen=True)
class World:
    """A fresh account, the lists that go with it, and what to scan its logs with."""

    period: Period
    indicators: Indicators
    settings: ScanSettings

    def logs_of(self, attack: Attack, folder: Path) -> tuple[Label, ...]:
        """Writes the logs of an attack that nothing came before, and gives what should be found in them."""
        account = build_account(SEED, 0, self.period, Rates.named("quiet"), "custom")
        episodes = Episodes([attack.build(Scene.of(account, self.indicators, attack, self.period))])
        output, templates, rng = Output(folder), Templates(account), account.stream("files")
        write_calls(output, account, episodes.calls_in(self.period, templates), templates, rng)
        write_queries(output, account, episodes.queries_in(self.period), rng)
        FlowFiles(output, account).write_conversations(episodes.traffic_in(self.period), self.period, rng)
        return tuple(episodes.labels)

    def findings_in(self, folder: Path) -> list[dict[str, Any]]:
        result = LocalEngine(self.settings).scan(locate([str(folder)], self.settings.key_filter), Observer())
        findings, problems = report(result, self.settings, datetime(2026, 6, 1, tzinfo=UTC))
        assert [*result.problems, *problems] == []
        return [to_json(finding) for finding in findings]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    lists, indicators = tmp_path_factory.mktemp("lists"), Indicators.of(SEED)
    write_indicators(lists, SEED, indicators)
    settings = ScanSettings(
        detectors=load_detectors(),
        indicators=store_of_files(lists / "intel.yaml", [lists / "threat-list.txt"], [lists / "trusted-list.txt"]),
        geography=Geography.load(),
    )
    return World(Period.of(DEFAULT_START, 0.5), indicators, settings)


@pytest.mark.parametrize(
    "attack",
    named(*(one for one in ATTACKS if one.finding_type in TESTED and one.title != BUILDS_ON_EARLIER_CALLS)),
)
def test_the_scenario_is_found_in_a_fresh_account(attack: Attack, world: World, tmp_path: Path):
    labels = world.logs_of(attack, tmp_path)
    found = world.findings_in(tmp_path)
    for label in labels:
        of_type = [json.dumps(finding) for finding in found if finding["type"] == label.expected]
        names = [entity.rpartition("/")[2] for entity in label.entity]
        assert any(name in text for text in of_type for name in names), (label.case, found)


def test_every_type_of_the_tester_has_a_scenario():
    assert {attack.finding_type for attack in ATTACKS} >= set(TESTED)


def test_no_type_of_the_tester_has_to_learn_first():
    learning = {
        one.finding_type
        for one in load_detectors(TESTED)
        if isinstance(one, ActivityDetector) and one.learning == "before"
    }
    assert not learning


@pytest.mark.parametrize("attack", named(*(attack for attack in ATTACKS if attack.history_days)))
def test_what_must_be_learned_first_is_not_found_in_a_fresh_account(attack: Attack, world: World, tmp_path: Path):
    world.logs_of(attack, tmp_path)
    assert attack.finding_type not in {finding["type"] for finding in world.findings_in(tmp_path)}
