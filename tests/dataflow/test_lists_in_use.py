"""What lists do to findings: trusted wins, expired entries do not count, and lists are replaced while events flow."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Address

import numpy as np
import polars as pl

from guardray.context.enrich import Surroundings
from guardray.dataflow.ingest import Ingest
from guardray.dataflow.shard import Shard
from guardray.detectors.ec2.connections import flow
from guardray.detectors.ec2.queries import query
from guardray.detectors.loader import load_detectors
from guardray.intel.entries import Entries, ThreatList
from guardray.intel.store import IndicatorStore
from guardray.schema import EventSchema, api_activity, dns_activity, network_activity
from guardray.testing import START, frame_of

REMOTE = "198.51.100.7"
ROOT_CALL = {"actor_user_type": "Root", "event_category": "Management", "src_endpoint_ip": REMOTE}


def found(schema: EventSchema, rows: list[dict], surroundings: Surroundings) -> set[str]:
    """The types of all findings, with every detector on."""
    detectors = load_detectors()
    ingest = Ingest(detectors, surroundings, _all_new)
    shard = Shard(detectors)
    ingest.on_batch(schema, frame_of(schema, rows))
    partials = ingest.drain()
    shard.merge(partials)
    return {sighting.key.finding_type for sighting in (*partials.sightings, *shard.finish())}


def _all_new(hashes: np.ndarray, _: np.ndarray) -> np.ndarray:
    return np.ones(len(hashes), bool)


def lists(*named: tuple[str, str], scope: frozenset | None = None) -> Surroundings:
    """One list a value: (address or domain, category)."""
    return Surroundings(IndicatorStore([_list(value, category, scope) for value, category in named]))


def _list(value: str, category: str, scope: frozenset | None = None, **facts) -> tuple[ThreatList, Entries]:
    if value[0].isdigit():
        number = int(IPv4Address(value))
        entries = Entries.of(v4=pl.DataFrame({"first": [number], "last": [number], **facts}))
    else:
        entries = Entries.of(domains=pl.DataFrame({"name": [value], **facts}))
    return ThreatList(f"{category}-list", category, None, 1, 0, scope=scope), entries


def test_a_trusted_address_raises_no_finding_on_calls_not_even_by_a_rule():
    assert found(api_activity.SCHEMA, [ROOT_CALL], Surroundings()) == {"Policy:IAMUser/RootCredentialUsage"}
    trusted = lists((REMOTE, "trusted"), (REMOTE, "malicious"))
    assert found(api_activity.SCHEMA, [ROOT_CALL], trusted) == set()


def test_a_trusted_address_raises_no_finding_on_flows_not_even_by_counting():
    scan = [flow(target=REMOTE, dst_endpoint_port=port) for port in range(1, 200)]
    assert found(network_activity.SCHEMA, scan, Surroundings()) == {"Recon:EC2/Portscan"}
    assert found(network_activity.SCHEMA, scan, lists((REMOTE, "trusted"))) == set()


def test_a_trusted_domain_raises_no_finding_on_queries():
    listed = lists(("bad.example", "c2"), ("bad.example", "trusted"))
    assert found(dns_activity.SCHEMA, [query("bad.example")], listed) == set()
    assert found(dns_activity.SCHEMA, [query("under.bad.example")], listed) == {"Backdoor:EC2/C&CActivity.B!DNS"}


def test_a_trusted_address_does_not_silence_queries_for_names():
    listed = lists(("bad.example", "c2"), ("10.0.0.5", "trusted"), (REMOTE, "trusted"))
    asked = query("bad.example", answers=[REMOTE], answer_types=["A"])
    assert found(dns_activity.SCHEMA, [asked], listed) == {"Backdoor:EC2/C&CActivity.B!DNS"}


def test_a_list_of_one_account_and_region_acts_there_alone():
    ours = frozenset({("111122223333", "eu-west-1")})
    theirs = frozenset({("444455556666", "eu-west-1")})
    assert found(network_activity.SCHEMA, [flow(target=REMOTE)], lists((REMOTE, "c2"), scope=ours)) == {
        "Backdoor:EC2/C&CActivity.B"
    }
    assert found(network_activity.SCHEMA, [flow(target=REMOTE)], lists((REMOTE, "c2"), scope=theirs)) == set()


def test_an_entry_that_had_expired_when_the_event_happened_does_not_count():
    for expires, expected in ((START, set()), (START + timedelta(hours=1), {"Backdoor:EC2/C&CActivity.B"})):
        store = IndicatorStore([_list(REMOTE, "c2", expires=[expires])])
        assert found(network_activity.SCHEMA, [flow(target=REMOTE)], Surroundings(store)) == expected


@dataclass
class Replaceable:
    """Lists that are replaced while events flow."""

    store: IndicatorStore = field(default_factory=IndicatorStore)

    def current(self) -> IndicatorStore:
        return self.store


def test_lists_that_are_activated_meanwhile_hold_from_the_next_batch_on():
    lists_in_use = Replaceable()
    ingest = Ingest(load_detectors(), Surroundings(lists_in_use), _all_new)
    batch = frame_of(network_activity.SCHEMA, [flow(target=REMOTE)])
    ingest.on_batch(network_activity.SCHEMA, batch)
    assert ingest.drain().sightings == []
    lists_in_use.store = IndicatorStore.of({REMOTE: "c2"})
    ingest.on_batch(network_activity.SCHEMA, batch)
    assert [one.key.finding_type for one in ingest.drain().sightings] == ["Backdoor:EC2/C&CActivity.B"]


def test_an_answer_on_a_black_hole_list_counts_whatever_the_name():
    asked = query("fine.example", answers=["192.0.2.1", REMOTE], answer_types=["A", "A"])
    assert found(dns_activity.SCHEMA, [asked], lists((REMOTE, "blackhole"))) == {"Trojan:EC2/BlackholeTraffic!DNS"}


def test_the_same_address_on_two_lists_gives_one_finding_with_both():
    one, other = _list(REMOTE, "c2"), _list(REMOTE, "c2")
    store = IndicatorStore([one, (ThreatList("another", "c2", "Emotet", 1, 0), other[1])])
    ingest = Ingest(load_detectors(), Surroundings(store), _all_new)
    ingest.on_batch(network_activity.SCHEMA, frame_of(network_activity.SCHEMA, [flow(target=REMOTE)]))
    (sighting,) = ingest.drain().sightings
    assert {entry.list_name for entry in sighting.latest.row["indicators"]} == {"c2-list", "another"}
