"""`guardray scan` with threat lists and trusted lists: who is named, by which lists, and in whose account."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from scanning import ROOT_CALL, ROOT_USE, found, scan
from typer.testing import CliRunner

from guardray.cli.app import app

ACCOUNT, OTHER_ACCOUNT = "111122223333", "444455556666"
USER = {"type": "IAMUser", "principalId": "AIDAEXAMPLE", "accountId": ACCOUNT, "userName": "alice"}
FLOW_FIELDS = (
    "version account-id region interface-id instance-id srcaddr dstaddr srcport dstport protocol packets bytes "
    "start end action log-status"
)
CUSTOM_CALL = "Recon:IAMUser/MaliciousIPCaller.Custom"
CUSTOM_FLOW = "UnauthorizedAccess:EC2/MaliciousIPCaller.Custom"
CUSTOM_DOMAIN = "Impact:EC2/MaliciousDomainRequest.Custom"
C2_FLOW, C2_DOMAIN = "Backdoor:EC2/C&CActivity.B", "Backdoor:EC2/C&CActivity.B!DNS"

Scan = Callable[..., list[dict]]


@pytest.fixture
def findings(tmp_path: Path) -> Scan:
    """Scans a file with these options; gives the findings."""

    def run(log: Path, *options: object) -> list[dict]:
        output = tmp_path / "findings.jsonl"
        result = scan(log, "--output", output, *options, state=tmp_path / "data")
        assert result.exit_code == 0, result.output
        return found(output)

    return run


@pytest.fixture
def add(tmp_path: Path) -> Callable[..., None]:
    """`guardray intel add`, to the lists of the scans."""

    def run(file: Path, *options: str) -> None:
        arguments = ["intel", "add", str(file), *options, "--state", str(tmp_path / "data")]
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output

    return run


def written(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def trail(folder: Path, *addresses: str) -> Path:
    """A trail of an IAM user who lists buckets from these addresses."""
    call = ROOT_CALL | {
        "userIdentity": USER,
        "eventSource": "s3.amazonaws.com",
        "eventName": "ListBuckets",
        "userAgent": "aws-cli",
        "managementEvent": True,
    }
    events = [call | {"sourceIPAddress": one, "eventID": f"event-{i}"} for i, one in enumerate(addresses)]
    return written(folder / "trail.json", json.dumps({"Records": events}))


def flows(
    folder: Path, *remotes: str, account: str = ACCOUNT, region: str = "eu-west-1", instance: str = "i-1"
) -> Path:
    """Flow records of an instance that sends to port 443 of these addresses, from 2026-01-12T10:00:00Z on."""
    records = [
        f"5 {account} {region} eni-1 {instance} 10.0.0.5 {remote} 50000 443 6 10 4000 1768212000 1768212060 ACCEPT OK"
        for remote in remotes
    ]
    return written(folder / f"flow-{account}-{region}.log", FLOW_FIELDS, *records)


def queries(folder: Path, *names: str, answer: str = "192.0.2.99") -> Path:
    """A query log of an instance that asks for these names."""
    rows = [
        {
            "version": "1.100000",
            "account_id": ACCOUNT,
            "region": "eu-west-1",
            "vpc_id": "vpc-1",
            "query_timestamp": "2026-01-12T10:00:05Z",
            "query_name": f"{name}.",
            "query_type": "AAAA" if ":" in answer else "A",
            "query_class": "IN",
            "rcode": "NOERROR",
            "answers": [{"Rdata": answer, "Type": "AAAA" if ":" in answer else "A", "Class": "IN"}],
            "srcaddr": "10.0.0.5",
            "srcport": "41734",
            "transport": "UDP",
            "srcids": {"instance": f"i-{number}"},
        }
        for number, name in enumerate(names)
    ]
    return written(folder / "queries.log", *map(json.dumps, rows))


def feeds(folder: Path, **lists: dict) -> Path:
    """A feeds file with a local list for each name."""
    declared = []
    for name, feed in lists.items():
        written(folder / f"{name}.txt", *feed.pop("lines"))
        declared.append({"name": name, "url": f"{name}.txt", "kind": "any", **feed})
    return written(folder / "feeds.yaml", json.dumps({"feeds": declared}))  # JSON is YAML


def types(findings: list[dict]) -> set[str]:
    return {finding["type"] for finding in findings}


def asked_names(findings: list[dict]) -> set[str]:
    return {finding["service"]["action"]["dnsRequestAction"]["domain"] for finding in findings}


def lists_of(finding: dict) -> list[str]:
    evidence = finding["service"]["evidence"]["threatIntelligenceDetails"]
    return [named["threatListName"] for named in evidence]


@pytest.mark.parametrize("listed", ["2001:db8::7", "2001:DB8:0:0::7", "2001:db8::/48", "2001:db8::1-2001:db8::ff"])
def test_a_caller_with_an_ipv6_address_is_found_on_a_list(tmp_path: Path, findings: Scan, listed: str):
    threats = written(tmp_path / "ours.txt", listed)
    (finding,) = findings(trail(tmp_path, "2001:db8::7", "2001:db8:1::7"), "--threat-list", threats)
    assert (finding["type"], finding["service"]["count"]) == (CUSTOM_CALL, 1)
    assert finding["service"]["action"]["awsApiCallAction"]["remoteIpDetails"]["ipAddressV6"] == "2001:db8::7"
    assert lists_of(finding) == ["ours"]
    assert finding["service"]["additionalInfo"]["threatListName"] == "ours"


def test_a_trusted_ipv6_network_wins_over_a_threat_lists_address(tmp_path: Path, findings: Scan):
    threats, trusted = written(tmp_path / "t.txt", "2001:db8::7"), written(tmp_path / "ok.txt", "2001:db8::/32")
    log = trail(tmp_path, "2001:db8::7")
    assert findings(log, "--threat-list", threats, "--trusted-list", trusted) == []


def test_a_trusted_address_silences_every_type_that_a_call_would_raise(tmp_path: Path, findings: Scan):
    log = written(tmp_path / "root.json", json.dumps({"Records": [ROOT_CALL]}))
    assert types(findings(log)) == {ROOT_USE}
    assert findings(log, "--trusted-list", written(tmp_path / "ok.txt", "198.51.100.0/24")) == []


def test_an_ipv4_address_written_as_ipv6_is_the_same_caller(tmp_path: Path, findings: Scan):
    threats = written(tmp_path / "ours.txt", "198.51.100.0/24")
    (finding,) = findings(trail(tmp_path, "::ffff:198.51.100.7"), "--threat-list", threats)
    assert finding["type"] == CUSTOM_CALL


@pytest.mark.parametrize("listed", ["bad.example", "*.bad.example", "BAD.example."])
def test_a_threat_lists_domain_is_the_name_and_all_below_it(tmp_path: Path, findings: Scan, listed: str):
    threats = written(tmp_path / "ours.txt", listed)
    log = queries(tmp_path, "bad.example", "a.b.Bad.example", "notbad.example", "example")
    hits = findings(log, "--threat-list", threats)
    assert types(hits) == {CUSTOM_DOMAIN}
    assert {name.lower() for name in asked_names(hits)} == {"bad.example", "a.b.bad.example"}


@pytest.mark.parametrize(
    ("trusted", "silenced"),
    [
        ("good.bad.example", {"good.bad.example"}),
        ("*.good.bad.example", {"a.good.bad.example", "b.a.good.bad.example"}),
        ("*.bad.example", {"good.bad.example", "a.good.bad.example", "b.a.good.bad.example"}),
    ],
)
def test_trust_reaches_as_far_as_it_is_written(tmp_path: Path, findings: Scan, trusted: str, silenced: set[str]):
    names = {"bad.example", "good.bad.example", "a.good.bad.example", "b.a.good.bad.example"}
    options = (
        "--threat-list",
        written(tmp_path / "ours.txt", "bad.example"),
        "--trusted-list",
        written(tmp_path / "ok.txt", trusted),
    )
    assert asked_names(findings(queries(tmp_path, *sorted(names)), *options)) == names - silenced


def test_lists_that_overlap_give_one_finding_that_names_them_all_but_for_what_is_trusted(
    tmp_path: Path, findings: Scan
):
    file = feeds(
        tmp_path,
        network={"category": "c2", "threat_name": "Botnet", "lines": ["198.51.100.0/24"]},
        exact={"category": "c2", "threat_name": "Emotet", "lines": ["198.51.100.7", "198.51.100.9"]},
        elsewhere={"category": "scanner", "lines": ["198.51.100.7"]},
        ours={"category": "trusted", "lines": ["198.51.100.8/31"]},
    )
    log = flows(tmp_path, "198.51.100.7", "198.51.100.8", "198.51.100.9")
    (finding,) = findings(log, "--intel", file, "--type", C2_FLOW)
    assert finding["service"]["count"] == 1  # .8 and .9 are trusted
    assert finding["service"]["evidence"]["threatIntelligenceDetails"] == [
        {"threatListName": "exact", "threatNames": ["Emotet"]},
        {"threatListName": "network", "threatNames": ["Botnet"]},
    ]
    assert "the threat list exact, network names" in finding["description"]


def test_a_caller_and_a_name_on_two_lists_give_one_finding_each_that_names_both(tmp_path: Path, findings: Scan):
    near = written(tmp_path / "near.txt", "2001:db8::7", "www.bad.example")
    far = written(tmp_path / "far.txt", "2001:db8::/32", "*.bad.example")
    options = [part for file in (near, far) for part in ("--threat-list", file)]
    (called,) = findings(trail(tmp_path, "2001:db8::7"), *options)
    (asked,) = findings(queries(tmp_path, "www.bad.example"), *options)
    assert lists_of(called) == lists_of(asked) == ["far", "near"]
    assert "the threat list far, near." in called["description"]


def test_lists_of_several_categories_give_a_finding_of_each_type(tmp_path: Path, findings: Scan):
    file = feeds(
        tmp_path,
        control={"category": "c2", "lines": ["198.51.100.0/24", "bad.example"]},
        pools={"category": "crypto", "lines": ["198.51.100.7", "www.bad.example"]},
    )
    ours = written(tmp_path / "mine.txt", "198.51.100.7")
    hits = findings(flows(tmp_path, "198.51.100.7"), "--intel", file, "--threat-list", ours)
    named = {finding["type"]: lists_of(finding) for finding in hits}
    assert named == {C2_FLOW: ["control"], "CryptoCurrency:EC2/BitcoinTool.B": ["pools"], CUSTOM_FLOW: ["mine"]}
    hits = findings(queries(tmp_path, "www.bad.example"), "--intel", file)
    named = {finding["type"]: lists_of(finding) for finding in hits}
    assert named == {C2_DOMAIN: ["control"], "CryptoCurrency:EC2/BitcoinTool.B!DNS": ["pools"]}


def test_a_list_for_an_account_in_a_region_counts_there_alone(tmp_path: Path, findings: Scan, add):
    add(written(tmp_path / "theirs.txt", "198.51.100.7"), "--account", ACCOUNT, "--region", "eu-west-1")
    logs = tmp_path / "logs"
    logs.mkdir()
    for account, region in ((ACCOUNT, "eu-west-1"), (ACCOUNT, "us-east-1"), (OTHER_ACCOUNT, "eu-west-1")):
        flows(logs, "198.51.100.7", account=account, region=region, instance=f"i-{account}-{region}")
    (finding,) = findings(logs)
    assert (finding["accountId"], finding["region"], finding["type"]) == (ACCOUNT, "eu-west-1", CUSTOM_FLOW)
    assert lists_of(finding) == ["theirs"]
    assert finding["service"]["additionalInfo"]["threatListName"] == "theirs"


def test_an_accounts_trusted_list_silences_that_account_alone(tmp_path: Path, findings: Scan, add):
    add(written(tmp_path / "all.txt", "198.51.100.0/24"), "--kind", "ip-set")
    add(written(tmp_path / "ok.txt", "198.51.100.7"), "--trusted", "--account", ACCOUNT, "--region", "eu-west-1")
    logs = tmp_path / "logs"
    logs.mkdir()
    flows(logs, "198.51.100.7")
    flows(logs, "198.51.100.7", account=OTHER_ACCOUNT, instance="i-2")
    (finding,) = findings(logs)
    assert (finding["accountId"], lists_of(finding)) == (OTHER_ACCOUNT, ["all"])


def test_lists_for_all_and_for_one_account_are_both_named(tmp_path: Path, findings: Scan, add):
    add(written(tmp_path / "all.txt", "198.51.100.0/24"))
    add(written(tmp_path / "one.txt", "198.51.100.7"), "--account", ACCOUNT, "--region", "eu-west-1")
    (finding,) = findings(flows(tmp_path, "198.51.100.7"))
    assert lists_of(finding) == ["all", "one"]


def test_an_ip_set_says_nothing_of_domains_and_a_deactivated_list_nothing_at_all(tmp_path: Path, findings: Scan, add):
    both = written(tmp_path / "both.txt", "198.51.100.7", "bad.example")
    add(both, "--kind", "ip-set")
    assert findings(queries(tmp_path, "bad.example")) == []
    assert types(findings(flows(tmp_path, "198.51.100.7"))) == {CUSTOM_FLOW}
    add(both, "--kind", "ip-set", "--deactivate")
    assert findings(flows(tmp_path, "198.51.100.7")) == []


def test_an_entry_counts_until_it_expires_by_the_time_of_the_event(tmp_path: Path, findings: Scan):
    file = feeds(
        tmp_path,
        timed={
            "category": "c2",
            "format": "csv",
            "columns": {"indicator": "value", "expires": "until"},
            "lines": [
                "value,until",
                "198.51.100.7,2026-01-12T09:59:59Z",
                "198.51.100.8,2026-01-12T10:30:00Z",
                "gone.example,2026-01-12T10:00:05Z",
                "here.example,2026-01-12T10:00:06Z",
            ],
        },
        other={"category": "c2", "lines": ["198.51.100.8"]},
    )
    (finding,) = findings(flows(tmp_path, "198.51.100.7", "198.51.100.8"), "--intel", file)
    action = finding["service"]["action"]["networkConnectionAction"]
    assert (action["remoteIpDetails"]["ipAddressV4"], finding["service"]["count"]) == ("198.51.100.8", 1)
    assert lists_of(finding) == ["other", "timed"]
    assert asked_names(findings(queries(tmp_path, "gone.example", "here.example"), "--intel", file)) == {"here.example"}


def test_private_addresses_on_lists_name_nobody(tmp_path: Path, findings: Scan):
    threats = written(tmp_path / "t.txt", "10.0.0.0/8", "fd00::/8", "127.0.0.1", "198.51.100.7")
    log = flows(tmp_path, "10.0.0.9", "198.51.100.7")
    (finding,) = findings(log, "--threat-list", threats)
    assert finding["service"]["count"] == 1
    assert findings(trail(tmp_path, "10.0.0.9", "fd00::1", "AWS Internal"), "--threat-list", threats) == []


def test_a_trusted_list_of_private_addresses_silences_nothing(tmp_path: Path, findings: Scan):
    threats, trusted = written(tmp_path / "t.txt", "198.51.100.7"), written(tmp_path / "ok.txt", "10.0.0.5", "9.9.9.9")
    log = flows(tmp_path, "198.51.100.7")
    assert types(findings(log, "--threat-list", threats, "--trusted-list", trusted)) == {CUSTOM_FLOW}


def test_an_answer_with_a_listed_ipv6_address_counts(tmp_path: Path, findings: Scan):
    file = feeds(tmp_path, holes={"category": "blackhole", "lines": ["2001:db8:dead::/48"]})
    log = queries(tmp_path, "fine.example", answer="2001:db8:dead::1")
    assert types(findings(log, "--intel", file)) == {"Trojan:EC2/BlackholeTraffic!DNS"}
