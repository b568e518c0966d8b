"""Every attack that a label promises stands in the logs, with the volumes that it should have."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import polars as pl
import pytest

from guardray.detectors.loader import load_detectors
from guardray.simulate import attack_types

from .conftest import DAYS, Logs

Label = dict[str, str]
Event = dict[str, Any]
PUBLIC_GROUPS = ("groups/global/AllUsers", "groups/global/AuthenticatedUsers")


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def events_of(logs: Logs, label: Label) -> list[Event]:
    """What the labelled caller did in the labelled time."""
    return [
        event
        for event in logs.events
        if label["start"] <= event["eventTime"] <= label["end"]
        and event["userIdentity"].get("arn") == label["actor"]
        and event["recipientAccountId"] == label["account"]
        and event["sourceIPAddress"] in label["remote"].split("|")
    ]


def flows_of(logs: Logs, label: Label) -> pl.DataFrame:
    """Records of the labelled host in the labelled time, with `peer`, `sent` (it was the source) and ports of both."""
    address = label["entity"].split("|")[-2]
    start, end = seconds(label["start"]), seconds(label["end"])
    return logs.flows.filter(
        pl.col("interface-id") == label["entity"].split("|")[-1],
        pl.col("start").is_between(start - 1, end + 1),
        (pl.col("srcaddr") == address) | (pl.col("dstaddr") == address),
    ).with_columns(
        sent=pl.col("srcaddr") == address,
        peer=pl.when(pl.col("srcaddr") == address).then("dstaddr").otherwise("srcaddr"),
    )


def queries_of(logs: Logs, label: Label) -> list[dict[str, Any]]:
    return [
        query
        for query in logs.queries
        if label["start"] <= query["query_timestamp"] <= label["end"]
        and query["srcids"].get("instance") == label["entity"].split("|")[0]
    ]


def listed(logs: Logs, name: str) -> set[str]:
    return set((logs.folder / "indicators" / name).read_text().split())


def calls(*names: str) -> Callable[[Logs, Label], bool]:
    def check(logs: Logs, label: Label) -> bool:
        found = [event for event in events_of(logs, label) if event["eventName"] in names]
        return bool(found) and all("errorCode" not in event for event in found)

    return check


def opens_bucket(statement: str, groups: str) -> Callable[[Logs, Label], bool]:
    """By a policy whose text has this in it, or by an ACL."""

    def check(logs: Logs, label: Label) -> bool:
        texts = [
            json.dumps(e["requestParameters"]) for e in events_of(logs, label) if e["eventName"].startswith("PutBucket")
        ]
        return any(re.search(statement, text) or groups in text or '"public-read"' in text for text in texts)

    return check


def root(assumed: bool) -> Callable[[Logs, Label], bool]:
    def check(logs: Logs, label: Label) -> bool:
        found = [e for e in events_of(logs, label) if e["userIdentity"]["type"] == "Root"]
        contexts = [e["userIdentity"].get("sessionContext", {}) for e in found]
        return bool(found) and all(("assumedRoot" in one) == assumed for one in contexts)

    return check


def distribution(word: str, category: str) -> Callable[[Logs, Label], bool]:
    def check(logs: Logs, label: Label) -> bool:
        return any(word in e["userAgent"] and e["eventCategory"] == category for e in events_of(logs, label))

    return check


def from_list(name: str, category: str, *names: str) -> Callable[[Logs, Label], bool]:
    def check(logs: Logs, label: Label) -> bool:
        entries = listed(logs, name)
        networks = tuple(e.rsplit(".", 1)[0] + "." for e in entries if e.endswith("/28"))
        found = [e for e in events_of(logs, label) if e["eventCategory"] == category]
        is_listed = [e["sourceIPAddress"] in entries or e["sourceIPAddress"].startswith(networks) for e in found]
        return bool(found) and all(is_listed) and {e["eventName"] for e in found} <= set(names)

    return check


def many_ports(logs: Logs, label: Label) -> bool:
    sent = flows_of(logs, label).filter("sent", pl.col("peer") == label["remote"])
    return sent["dstport"].n_unique() == 1000


def many_hosts(logs: Logs, label: Label) -> bool:
    sent = flows_of(logs, label).filter("sent", pl.col("dstport").is_in((23, 445, 6379, 5555)))
    return bool(sent["peer"].n_unique() >= 2990)


def guesses(port: int, fewest: int) -> Callable[[Logs, Label], bool]:
    def check(logs: Logs, label: Label) -> bool:
        peers = flows_of(logs, label).filter(pl.col("peer") == label["remote"])
        tried = peers.filter((pl.col("dstport") == port) | (pl.col("srcport") == port))
        client_ports = tried.select(pl.max_horizontal("srcport", "dstport")).to_series()
        return client_ports.n_unique() >= fewest

    return check


def flood(protocol: int, *ports: int) -> Callable[[Logs, Label], bool]:
    def check(logs: Logs, label: Label) -> bool:
        sent = flows_of(logs, label).filter("sent", pl.col("peer") == label["remote"], pl.col("protocol") == protocol)
        return bool(sent["packets"].sum() == 400_000) and set(sent["dstport"].unique()) <= set(ports)

    return check


def talks(name: str) -> Callable[[Logs, Label], bool]:
    def check(logs: Logs, label: Label) -> bool:
        peers = flows_of(logs, label).filter(pl.col("peer") == label["remote"], pl.col("action") == "ACCEPT")
        return len(peers) >= 3 and from_networks(label["remote"], listed(logs, name))

    return check


def probes_a_cluster(logs: Logs, label: Label) -> bool:
    """A listed scanner is answered on YARN's port by an instance that EMR tagged as the primary node of a cluster."""
    documents = json.loads((logs.folder / "inventory.json").read_text())
    tags = {
        one["InstanceId"]: {tag["Key"]: tag["Value"] for tag in one["Tags"]}
        for document in documents
        for one in document["Instances"]
    }
    node = tags[label["entity"].split("|")[0]]
    answered = flows_of(logs, label).filter("sent", pl.col("srcport") == 8088)
    is_primary = node["aws:elasticmapreduce:instance-group-role"] == "MASTER"
    return is_primary and len(answered) > 0 and talks("scanner-addresses.txt")(logs, label)


def from_networks(address: str, entries: set[str]) -> bool:
    return address in entries or any(
        address.startswith(e.rsplit(".", 1)[0] + ".") for e in entries if e.endswith("/28")
    )


def relays(logs: Logs, label: Label) -> bool:
    """Listed relays connect to the host, and it connects to others of them."""
    peers = flows_of(logs, label).filter(pl.col("peer").is_in(listed(logs, "tor-relay-addresses.txt")))
    asked = peers.filter("sent", pl.col("dstport") == 9001)["peer"].n_unique()
    asking = peers.filter(~pl.col("sent"), pl.col("dstport") == 9001)["peer"].n_unique()
    return asked >= 10 and asking >= 10


def leads_to(domains: str, addresses: str) -> Callable[[Logs, Label], bool]:
    """The name or its answer is listed."""

    def check(logs: Logs, label: Label) -> bool:
        known = listed(logs, addresses)
        answers = [answer["Rdata"] for query in queries_of(logs, label) for answer in query["answers"]]
        return asks(domains)(logs, label) or any(answer in known for answer in answers)

    return check


def asks(name: str) -> Callable[[Logs, Label], bool]:
    def check(logs: Logs, label: Label) -> bool:
        domains = listed(logs, name)
        asked = [query["query_name"].rstrip(".") for query in queries_of(logs, label)]
        return any(one in domains or one.split(".", 1)[1] in domains for one in asked)

    return check


def answers_metadata(logs: Logs, label: Label) -> bool:
    return any(answer["Rdata"] == "169.254.169.254" for query in queries_of(logs, label) for answer in query["answers"])


def asks_for_many(names: int) -> Callable[[Logs, Label], bool]:
    def look(logs: Logs, label: Label) -> bool:
        return len({query["query_name"] for query in queries_of(logs, label)}) >= names

    return look


READS, LISTS = ("GetObject",), ("ListObjects",)
RECON, ACCESS = ("ListBuckets", "DescribeInstances", "ListUsers"), ("GetUser", "CreateUser", "ConsoleLogin")


def signs_in_from_two_addresses(logs: Logs, label: Label) -> bool:
    sign_ins = [event for event in events_of(logs, label) if event["eventName"] == "ConsoleLogin"]
    return len({event["sourceIPAddress"] for event in sign_ins}) == 2


def session_named(pattern: str) -> Callable[[Logs, Label], bool]:
    def look(logs: Logs, label: Label) -> bool:
        found = events_of(logs, label)
        return bool(found) and all(re.search(pattern, event["userIdentity"]["principalId"]) for event in found)

    return look


def by_endpoint_of_another_account(logs: Logs, label: Label) -> bool:
    found = events_of(logs, label)
    return bool(found) and all(event["vpcEndpointAccountId"] != label["account"] for event in found)


STOLEN = "UnauthorizedAccess:IAMUser/"
DOS = "Backdoor:EC2/DenialOfService."
EVIDENCE: dict[str, Callable[[Logs, Label], bool]] = {
    "Stealth:IAMUser/CloudTrailLoggingDisabled": calls("StopLogging", "UpdateTrail", "DeleteTrail", "DeleteBucket"),
    "Stealth:IAMUser/PasswordPolicyChange": calls("UpdateAccountPasswordPolicy", "DeleteAccountPasswordPolicy"),
    "Policy:IAMUser/RootCredentialUsage": root(assumed=False),
    "Policy:IAMUser/ShortTermRootCredentialUsage": root(assumed=True),
    "Policy:S3/AccountBlockPublicAccessDisabled": calls(
        "PutAccountPublicAccessBlock", "DeleteAccountPublicAccessBlock"
    ),
    "Policy:S3/BucketBlockPublicAccessDisabled": calls("PutBucketPublicAccessBlock", "DeleteBucketPublicAccessBlock"),
    "Policy:S3/BucketAnonymousAccessGranted": opens_bucket(r'"Principal": "\*"', PUBLIC_GROUPS[0]),
    "Policy:S3/BucketPublicAccessGranted": opens_bucket(
        r'"Principal": \{"AWS": "\*"\}.*PrincipalArn', PUBLIC_GROUPS[1]
    ),
    "Stealth:S3/ServerAccessLoggingDisabled": calls("PutBucketLogging"),
    "DefenseEvasion:IAMUser/BedrockLoggingDisabled": calls("DeleteModelInvocationLoggingConfiguration"),
    "PenTest:IAMUser/KaliLinux": distribution("kali", "Management"),
    "PenTest:IAMUser/ParrotLinux": distribution("parrot", "Management"),
    "PenTest:IAMUser/PentooLinux": distribution("pentoo", "Management"),
    "PenTest:S3/KaliLinux": distribution("kali", "Data"),
    "PenTest:S3/ParrotLinux": distribution("parrot", "Data"),
    "PenTest:S3/PentooLinux": distribution("pentoo", "Data"),
    "Recon:IAMUser/MaliciousIPCaller": from_list("malicious-addresses.txt", "Management", *RECON),
    "UnauthorizedAccess:IAMUser/MaliciousIPCaller": from_list("malicious-addresses.txt", "Management", *ACCESS),
    "Recon:IAMUser/MaliciousIPCaller.Custom": from_list("threat-list.txt", "Management", *RECON),
    "UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom": from_list("threat-list.txt", "Management", *ACCESS),
    "Discovery:S3/MaliciousIPCaller.Custom": from_list("threat-list.txt", "Data", *LISTS),
    "UnauthorizedAccess:S3/MaliciousIPCaller.Custom": from_list("threat-list.txt", "Data", *READS),
    "Recon:IAMUser/TorIPCaller": from_list("tor-exit-addresses.txt", "Management", *RECON),
    "UnauthorizedAccess:IAMUser/TorIPCaller": from_list("tor-exit-addresses.txt", "Management", *ACCESS),
    "Discovery:S3/MaliciousIPCaller": from_list("malicious-addresses.txt", "Data", *LISTS),
    "Exfiltration:S3/MaliciousIPCaller": from_list("malicious-addresses.txt", "Data", *READS),
    "Impact:S3/MaliciousIPCaller": from_list("malicious-addresses.txt", "Data", "DeleteObject"),
    "Discovery:S3/TorIPCaller": from_list("tor-exit-addresses.txt", "Data", *LISTS),
    "UnauthorizedAccess:S3/TorIPCaller": from_list("tor-exit-addresses.txt", "Data", *READS),
    "CryptoCurrency:EC2/BitcoinTool.B": talks("crypto-addresses.txt"),
    "UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B": signs_in_from_two_addresses,
    f"{STOLEN}InstanceCredentialExfiltration.OutsideAWS": session_named(r":i-[0-9a-f]{17}$"),
    f"{STOLEN}InstanceCredentialExfiltration.InsideAWS": by_endpoint_of_another_account,
    f"{STOLEN}ResourceCredentialExfiltration.OutsideAWS": session_named(r":(?!i-)"),
    f"{STOLEN}ResourceCredentialExfiltration.InsideAWS": by_endpoint_of_another_account,
    "Trojan:EC2/BlackholeTraffic": talks("blackhole-addresses.txt"),
    "Trojan:EC2/DropPoint": talks("droppoint-addresses.txt"),
    "UnauthorizedAccess:EC2/TorClient": talks("tor-entry-addresses.txt"),
    "UnauthorizedAccess:EC2/TorRelay": relays,
    "Recon:EC2/PortProbeUnprotectedPort": talks("scanner-addresses.txt"),
    "Recon:EC2/PortProbeEMRUnprotectedPort": probes_a_cluster,
    "CryptoCurrency:EC2/BitcoinTool.B!DNS": asks("crypto-domains.txt"),
    "Impact:EC2/AbusedDomainRequest.Reputation": asks("reputation-abused-domains.txt"),
    "Impact:EC2/BitcoinDomainRequest.Reputation": asks("reputation-crypto-domains.txt"),
    "Impact:EC2/MaliciousDomainRequest.Reputation": leads_to(
        "reputation-malicious-domains.txt", "sinkhole-addresses.txt"
    ),
    "Impact:EC2/SuspiciousDomainRequest.Reputation": asks("reputation-suspicious-domains.txt"),
    "Trojan:EC2/BlackholeTraffic!DNS": leads_to("blackhole-domains.txt", "blackhole-addresses.txt"),
    "Trojan:EC2/DGADomainRequest.C!DNS": asks("dga-domains.txt"),
    "Trojan:EC2/DGADomainRequest.B": asks_for_many(50),
    "Trojan:EC2/DNSDataExfiltration": asks_for_many(80),
    "Trojan:EC2/DriveBySourceTraffic!DNS": asks("driveby-domains.txt"),
    "Trojan:EC2/DropPoint!DNS": asks("droppoint-domains.txt"),
    "Trojan:EC2/PhishingDomainRequest!DNS": asks("phishing-domains.txt"),
    "Recon:EC2/Portscan": many_ports,
    "Impact:EC2/PortSweep": many_hosts,
    "UnauthorizedAccess:EC2/SSHBruteForce": guesses(22, 850),
    "UnauthorizedAccess:EC2/RDPBruteForce": guesses(3389, 1700),
    "Impact:EC2/WinRMBruteForce": guesses(5985, 1700),
    f"{DOS}Dns": flood(17, 53),
    f"{DOS}Udp": flood(17, 80, 27015),
    f"{DOS}UdpOnTcpPorts": flood(17, 25),
    f"{DOS}Tcp": flood(6, 443),
    f"{DOS}UnusualProtocol": flood(2, 0),
    "Backdoor:EC2/C&CActivity.B": talks("c2-addresses.txt"),
    "UnauthorizedAccess:EC2/MaliciousIPCaller.Custom": talks("threat-list.txt"),
    "Backdoor:EC2/C&CActivity.B!DNS": asks("c2-domains.txt"),
    "Impact:EC2/MaliciousDomainRequest.Custom": asks("threat-list.txt"),
    "UnauthorizedAccess:EC2/MetadataDNSRebind": answers_metadata,
}


def test_there_is_an_attack_for_every_finding_type_that_has_a_detector() -> None:
    month = 30
    assert set(attack_types(month)) == {detector.finding_type for detector in load_detectors()}


@pytest.mark.parametrize("finding_type", attack_types(DAYS))
def test_attack_stands_in_the_logs(logs: Logs, finding_type: str) -> None:
    labels = [label for label in logs.labels if label["expected"] == finding_type]
    assert labels
    for label in labels:
        assert EVIDENCE[finding_type](logs, label), label["case"]


def test_brute_force_volumes_are_those_of_the_testers(logs: Logs) -> None:
    """20 rounds of 7 users and 21 keys make 2,940 sessions, 7 users and 256 passwords 1,792; ports seldom repeat."""
    for finding_type, port, attempts in (
        ("UnauthorizedAccess:EC2/SSHBruteForce", 22, 2940),
        ("UnauthorizedAccess:EC2/RDPBruteForce", 3389, 1792),
    ):
        label = next(one for one in logs.labels if one["expected"] == finding_type and one["case"].endswith("as actor"))
        sent = flows_of(logs, label).filter("sent", pl.col("peer") == label["remote"], pl.col("dstport") == port)
        # A session that crosses an aggregation border makes a record on each side of it.
        assert attempts <= len(sent) <= attempts * 1.1


def test_scan_is_seen_from_both_ends(logs: Logs) -> None:
    label = next(one for one in logs.labels if one["expected"] == "Recon:EC2/Portscan")
    scanner = label["entity"].split("|")[1]
    records = logs.flows.filter(pl.col("srcaddr") == scanner, pl.col("dstaddr") == label["remote"])
    ends = records.filter(pl.col("start").is_between(seconds(label["start"]) - 1, seconds(label["end"]) + 1))
    by_interface = ends.group_by("interface-id").agg(pl.col("action").unique().sort()).sort("interface-id")
    assert sorted(map(tuple, by_interface["action"].to_list())) == [("ACCEPT",), ("ACCEPT", "REJECT")]
