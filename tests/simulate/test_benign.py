"""Without attacks, logs hold nothing that a correct detector would report."""

from __future__ import annotations

import json
import re

import polars as pl
import pytest

from .conftest import Logs


def addresses(logs: Logs, name: str) -> set[str]:
    return {one for one in (logs.folder / "indicators" / name).read_text().split() if re.fullmatch(r"[\d.]+", one)}


def test_labels_are_all_benign(peaceful: Logs) -> None:
    assert {label["expected"] for label in peaceful.labels} == {"benign"}
    assert peaceful.summary.attacks == ()


def test_root_acts_only_through_services(peaceful: Logs) -> None:
    by_root = [event for event in peaceful.events if event["userIdentity"]["type"] == "Root"]
    assert by_root
    assert all("invokedBy" in event["userIdentity"] for event in by_root)


def test_no_user_agent_is_of_a_penetration_testing_distribution(peaceful: Logs) -> None:
    """Words that merely contain the names do occur."""
    agents = " ".join(sorted({event["userAgent"] for event in peaceful.events}))
    assert not re.search(r"(?i)(?<![a-z])(kali|parrot|pentoo)(?![a-z])", agents)
    assert re.search("kaliber|parrotfish", agents)


def trusted(logs: Logs) -> set[str]:
    return set((logs.folder / "indicators" / "trusted-list.txt").read_text().split())


@pytest.mark.parametrize("name", ["c2-addresses.txt", "malicious-addresses.txt", "threat-list.txt"])
def test_listed_addresses_never_get_through(peaceful: Logs, name: str) -> None:
    bad = addresses(peaceful, name) - trusted(peaceful)
    assert not bad & {event["sourceIPAddress"] for event in peaceful.events}
    accepted = peaceful.flows.filter(pl.col("action") == "ACCEPT")
    assert not bad & set(accepted["srcaddr"].unique()) | bad & set(accepted["dstaddr"].unique())


def test_listed_domains_are_never_asked_for(peaceful: Logs) -> None:
    lines = [
        (peaceful.folder / "indicators" / name).read_text().split() for name in ("c2-domains.txt", "threat-list.txt")
    ]
    bad = {line for list_ in lines for line in list_ if line.endswith(".example")} - trusted(peaceful)
    for query in peaceful.queries:
        labels = query["query_name"].rstrip(".").split(".")
        assert not bad & {".".join(labels[i:]) for i in range(len(labels))}, query["query_name"]


def test_only_names_of_aws_lead_to_the_metadata_service(peaceful: Logs) -> None:
    names = {
        query["query_name"]
        for query in peaceful.queries
        for answer in query["answers"]
        if answer["Rdata"] == "169.254.169.254"
    }
    assert names == {"instance-data.ec2.internal."}


def test_configuration_changes_only_strengthen(peaceful: Logs) -> None:
    done = [event for event in peaceful.events if "errorCode" not in event]
    names = {event["eventName"] for event in done}
    assert not names & {"StopLogging", "DeleteTrail", "DeleteAccountPasswordPolicy", "DeleteBucketPublicAccessBlock"}
    for event in done:
        request = json.dumps(event["requestParameters"])
        if event["eventName"].endswith("PublicAccessBlock") and event["eventName"].startswith("Put"):
            assert "false" not in request
        if event["eventName"] == "PutBucketLogging":
            assert "LoggingEnabled" in request
        if event["eventName"] == "PutBucketAcl":
            assert "groups/global" not in request
            assert "public-" not in request


def test_password_policies_grow_longer(peaceful: Logs) -> None:
    for account in peaceful.summary.accounts:
        lengths = [
            event["requestParameters"]["minimumPasswordLength"]
            for event in sorted(peaceful.events, key=lambda one: one["eventTime"])
            if event["eventName"] == "UpdateAccountPasswordPolicy" and event["recipientAccountId"] == account
        ]
        assert lengths == [12, 14]


def test_nobody_scans_or_guesses(peaceful: Logs) -> None:
    """Monitoring touches eight ports of a host; the same client comes back to SSH in the dozens at most, an hour."""
    unanswered = peaceful.flows.filter(pl.col("packets") <= 2, pl.col("protocol") == 6)
    per_pair = unanswered.group_by("srcaddr", "dstaddr").agg(
        pl.col("dstport").filter(pl.col("dstport") < 20_000).n_unique()
    )
    assert per_pair["dstport"].max() < 30
    guesses = peaceful.flows.filter(pl.col("dstport").is_in((22, 3389, 5985)), pl.col("action") == "ACCEPT")
    hourly = guesses.group_by("interface-id", "srcaddr", "dstaddr", pl.col("start") // 3600).len()
    assert hourly["len"].max() < 100


def test_people_keep_office_hours(peaceful: Logs) -> None:
    """On a Monday: people work in a part of the day, services all day."""
    people = [event for event in peaceful.events if "SSO" in event["userIdentity"].get("arn", "")]
    machines = [event for event in peaceful.events if event["userIdentity"]["type"] == "AWSService"]
    assert len({event["eventTime"][:13] for event in machines}) == 12
    assert people


def test_a_cluster_answers_the_office_on_its_ports_and_no_scanner(peaceful: Logs) -> None:
    documents = json.loads((peaceful.folder / "inventory.json").read_text())
    nodes = {
        one["NetworkInterfaces"][0]["NetworkInterfaceId"]: one["SecurityGroups"][0]["GroupName"]
        for document in documents
        for one in document["Instances"]
        if any(tag["Key"].startswith("aws:elasticmapreduce:") for tag in one["Tags"])
    }
    assert set(nodes.values()) == {"ElasticMapReduce-master", "ElasticMapReduce-slave"}
    scanners = addresses(peaceful, "scanner-addresses.txt")
    pages = peaceful.flows.filter(pl.col("interface-id").is_in(list(nodes)), pl.col("dstport") == 8088)
    by_scanners = pages.filter(pl.col("srcaddr").is_in(list(scanners)))
    assert by_scanners["action"].unique().to_list() == ["REJECT"]
    assert pages["action"].n_unique() == 2
