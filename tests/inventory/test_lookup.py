"""Interfaces and addresses lead to the instance that had them at the time."""

from __future__ import annotations

import pickle

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardray.inventory import FACTS, Inventory, facts_of, own_addresses
from guardray.schema.addresses import ipv4_number

from .events import ACCOUNT, REGION, START, SUBNET, VPC, at, batch, event, interface, launch, terminate

IP = "10.0.0.5"


def known(*events):
    return Inventory(facts_of(batch(*events)))


def asked(inventory, minutes, **columns):
    row = {"time": at(minutes), "cloud_account_uid": ACCOUNT, "cloud_region": REGION} | columns
    if "private_ip" in row:
        row["private_ip_v4"] = ipv4_number(row.pop("private_ip"))
    frame = pl.DataFrame([row], schema_overrides={name: FACTS[name] for name in row if name in FACTS})
    return inventory.resolve(frame).row(0, named=True)


def by_address(inventory, minutes, ip=IP, vpc=VPC):
    return asked(inventory, minutes, private_ip=ip, vpc_uid=vpc)["instance_uid"]


REUSED = (launch(0, "i-1", "eni-1", IP), terminate(60, "i-1"), launch(90, "i-2", "eni-2", IP))


@pytest.mark.parametrize(
    ("minutes", "instance"),
    [(-1, None), (0, "i-1"), (59, "i-1"), (64, "i-1"), (66, None), (89, None), (90, "i-2"), (9999, "i-2")],
)
def test_a_reused_address_goes_to_the_instance_that_had_it_at_the_time(minutes, instance):
    """For five minutes after its end the first instance still has it, as it is shutting down."""
    assert by_address(known(*REUSED), minutes) == instance


def test_an_interface_leads_to_instance_and_network():
    found = asked(known(*REUSED), 10, interface_uid="eni-1")
    assert (found["instance_uid"], found["vpc_uid"], found["subnet_uid"]) == ("i-1", VPC, SUBNET)


def test_what_a_row_says_itself_is_kept():
    found = asked(known(*REUSED), 10, interface_uid="eni-1", instance_uid="i-other", vpc_uid="vpc-other")
    assert (found["instance_uid"], found["vpc_uid"]) == ("i-other", "vpc-other")


def test_an_unknown_interface_is_not_looked_up_by_its_address():
    assert asked(known(*REUSED), 10, interface_uid="eni-9", private_ip=IP, vpc_uid=VPC)["instance_uid"] is None


def test_an_address_of_two_vpcs_needs_the_vpc_while_both_have_it():
    inventory = known(
        launch(0, "i-1", "eni-1", IP),
        launch(10, "i-2", "eni-2", IP, "vpc-2"),
        terminate(20, "i-1"),
    )
    found = [asked(inventory, minutes, private_ip=IP)["instance_uid"] for minutes in (5, 15, 30)]
    assert found == ["i-1", None, "i-2"]
    assert [by_address(inventory, 15, vpc=vpc) for vpc in (VPC, "vpc-2", "vpc-3")] == ["i-1", "i-2", None]


def test_the_account_and_region_must_be_those_of_the_address():
    inventory = known(*REUSED)
    assert asked(inventory, 10, private_ip=IP)["instance_uid"] == "i-1"
    assert asked(inventory, 10, private_ip=IP, cloud_region="us-east-1")["instance_uid"] is None


def test_an_interface_moves_from_one_instance_to_another():
    inventory = known(
        event(0, "CreateNetworkInterface", {}, {"networkInterface": interface("eni-7", "10.0.0.7")}),
        event(
            1,
            "AttachNetworkInterface",
            {"networkInterfaceId": "eni-7", "instanceId": "i-1"},
            {"attachmentId": "eni-attach-7"},
        ),
        event(20, "DetachNetworkInterface", {"attachmentId": "eni-attach-7"}),
        event(40, "AttachNetworkInterface", {"networkInterfaceId": "eni-7", "instanceId": "i-2"}, {}),
        event(60, "TerminateInstances", {"instancesSet": {"items": [{"instanceId": "i-2"}]}}),
        event(80, "DeleteNetworkInterface", {"networkInterfaceId": "eni-7"}),
    )
    found = [asked(inventory, minutes, private_ip="10.0.0.7", vpc_uid=VPC) for minutes in (0, 10, 30, 50, 70, 90)]
    assert [one["instance_uid"] for one in found] == [None, "i-1", None, "i-2", None, None]
    assert [one["interface_uid"] for one in found] == ["eni-7"] * 5 + [None], "an interface outlives its instance"


def test_a_secondary_address_is_its_interfaces_until_it_is_taken_away():
    addresses = {
        "networkInterfaceId": "eni-1",
        "privateIpAddressesSet": {"items": [{"privateIpAddress": "10.0.0.99"}]},
    }
    inventory = known(
        launch(0, "i-1", "eni-1", IP),
        event(10, "AssignPrivateIpAddresses", addresses, {"_return": True}),
        event(20, "UnassignPrivateIpAddresses", addresses, {"_return": True}),
    )
    assert [by_address(inventory, minutes, "10.0.0.99") for minutes in (5, 15, 30)] == [None, "i-1", None]
    assert by_address(inventory, 30) == "i-1"
    assert own_addresses(inventory.facts).rows() == [
        ("eni-1", ipv4_number(IP)),
        ("eni-1", ipv4_number("10.0.0.99")),
    ]


@settings(max_examples=30, deadline=None)
@given(
    order=st.permutations(range(5)),
    cut=st.integers(0, 5),
    times=st.lists(st.integers(-10, 200), min_size=1, max_size=8),
)
def test_the_order_of_learning_does_not_matter(order, cut, times):
    events = [*REUSED, launch(100, "i-3", "eni-3", IP, "vpc-3"), terminate(150, "i-2")]
    whole = known(*events)
    first, rest = (facts_of(batch(*(events[i] for i in part))) for part in (order[:cut], order[cut:]))
    merged = Inventory(first).merge(rest).merge(first)
    assert merged.facts.equals(whole.facts)
    ip = ipv4_number(IP)
    frame = pl.DataFrame({"time": [at(t) for t in times], "cloud_account_uid": ACCOUNT, "cloud_region": REGION})
    frame = frame.with_columns(private_ip_v4=pl.lit(ip, pl.UInt32))
    assert merged.resolve(frame).equals(whole.resolve(frame))


@settings(max_examples=40, deadline=None)
@given(
    lives=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(10, 60), st.integers(7, 60)), max_size=9
    ),
    asks=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 400)), min_size=1, max_size=30),
)
def test_whole_columns_give_what_one_row_after_the_other_would(lives, asks):
    """Instances on three addresses of three VPCs, one after the other, against a plain search."""
    events, spans, clock = [], [], {}
    for number, (vpc, host, length, pause) in enumerate(lives):
        start = clock.get((vpc, host), 0) + pause
        clock[vpc, host] = start + length
        ip = f"10.0.0.{host}"
        events += [
            launch(start, f"i-{number}", f"eni-{number}", ip, f"vpc-{vpc}"),
            terminate(start + length, f"i-{number}"),
        ]
        spans.append((f"vpc-{vpc}", ip, start, start + length + 5, f"i-{number}"))
    inventory = known(*events)
    frame = pl.DataFrame(
        {
            "time": [at(minute) for *_, minute in asks],
            "vpc_uid": [f"vpc-{vpc}" for vpc, *_ in asks],
            "private_ip_v4": pl.Series([ipv4_number(f"10.0.0.{host}") for _, host, _ in asks], dtype=pl.UInt32),
        }
    )
    expected = [
        next((i for v, ip, s, e, i in spans if (v, ip) == (f"vpc-{vpc}", f"10.0.0.{host}") and s <= minute < e), None)
        for vpc, host, minute in asks
    ]
    assert inventory.resolve(frame)["instance_uid"].to_list() == expected


def test_frames_without_rows_and_inventories_without_facts_widen_the_frame():
    empty = Inventory()
    assert empty.is_empty
    assert len(empty) == 0
    frame = pl.DataFrame({"time": [START], "interface_uid": ["eni-1"]})
    for one in (frame, frame.clear()):
        found = empty.resolve(one)
        assert {"instance_uid", "interface_uid", "vpc_uid", "subnet_uid"} <= set(found.columns)
        assert found["instance_uid"].null_count() == len(one)
    assert empty.instance(ACCOUNT, REGION, time=START, instance_uid="i-1") is None


def test_an_inventory_travels_between_processes():
    inventory = known(*REUSED)
    by_address(inventory, 1)
    assert by_address(pickle.loads(pickle.dumps(inventory)), 95) == "i-2"
