"""CloudTrail tells which instances come and go, in agreement with what flow and DNS logs say."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from itertools import pairwise
from typing import Any

from .conftest import Logs


def calls(logs: Logs, name: str) -> list[dict[str, Any]]:
    return [
        event for event in logs.events if event["eventName"] == name and event["eventSource"] == "ec2.amazonaws.com"
    ]


def launched(logs: Logs) -> list[dict[str, Any]]:
    return [one for event in calls(logs, "RunInstances") for one in event["responseElements"]["instancesSet"]["items"]]


def test_addresses_are_reused_by_one_instance_after_the_other(logs: Logs) -> None:
    lives = defaultdict(list)
    ends = {
        event["requestParameters"]["instancesSet"]["items"][0]["instanceId"]: event["eventTime"]
        for event in calls(logs, "TerminateInstances")
    }
    for event in calls(logs, "RunInstances"):
        (one,) = event["responseElements"]["instancesSet"]["items"]
        end = ends.get(one["instanceId"], "9999")
        lives[one["vpcId"], one["privateIpAddress"]].append((event["eventTime"], end, one["instanceId"]))
    assert max(map(len, lives.values())) >= 3
    for spans in map(sorted, lives.values()):
        assert all(before[1] < after[0] for before, after in pairwise(spans))
        assert len({instance for *_, instance in spans}) == len(spans)


def test_flow_records_of_launched_interfaces_name_their_addresses(logs: Logs) -> None:
    own = {
        interface["networkInterfaceId"]: interface["privateIpAddress"]
        for one in launched(logs)
        for interface in one["networkInterfaceSet"]["items"]
    }
    seen = logs.flows.filter(logs.flows["interface-id"].is_in(list(own)))
    assert len(seen)
    for interface, source, target in seen.select("interface-id", "srcaddr", "dstaddr").iter_rows():
        assert own[interface] in (source, target)


def test_queries_without_an_instance_come_from_addresses_that_are_known(logs: Logs) -> None:
    nameless = [query for query in logs.queries if "instance" not in query["srcids"]]
    named = [query for query in logs.queries if "instance" in query["srcids"]]
    assert 0 < len(nameless) < len(named)
    of_trail = {one["privateIpAddress"] for one in launched(logs)}
    assert of_trail & {query["srcaddr"] for query in nameless}


def test_an_elastic_address_goes_from_one_jump_host_to_none(logs: Logs) -> None:
    given = {
        event["responseElements"]["allocationId"]: event["responseElements"] for event in calls(logs, "AllocateAddress")
    }
    for event in calls(logs, "AssociateAddress"):
        allocated = given[event["requestParameters"]["allocationId"]]
        assert ipaddress.ip_address(allocated["publicIp"]).is_global
    ends = {event["requestParameters"]["associationId"] for event in calls(logs, "DisassociateAddress")}
    assert {event["responseElements"]["associationId"] for event in calls(logs, "AssociateAddress")} == ends


def test_balancers_scale_by_interfaces_without_instances(logs: Logs) -> None:
    created = {
        e["responseElements"]["networkInterface"]["networkInterfaceId"] for e in calls(logs, "CreateNetworkInterface")
    }
    assert created == {e["requestParameters"]["networkInterfaceId"] for e in calls(logs, "DeleteNetworkInterface")}
    assert created <= set(logs.flows["interface-id"].unique())
