"""What enrichment adds to each class of event."""

from __future__ import annotations

import polars as pl
import pytest

from guardray.context.enrich import enrich
from guardray.intel.categories import bit
from guardray.intel.store import IndicatorStore
from guardray.schema import api_activity, dns_activity, network_activity
from guardray.schema.addresses import ipv4_number

NOBODY = IndicatorStore()
STORE = IndicatorStore.of({"203.0.113.0/24": "c2", "203.0.113.7": "custom", "bad.example": "crypto"})
OUTSIDE, INSIDE = ipv4_number("203.0.113.7"), ipv4_number("10.0.0.5")


def flow(store=NOBODY, **values):
    return enrich(network_activity.SCHEMA.frame([values]), network_activity.SCHEMA, store).row(0, named=True)


@pytest.mark.parametrize(
    ("is_request", "values"),
    [
        (True, {"protocol_num": 6, "tcp_flags": 2, "src_endpoint_port": 22, "dst_endpoint_port": 50000}),
        (True, {"protocol_num": 6, "tcp_flags": 3, "src_endpoint_port": 80, "dst_endpoint_port": 80}),
        (False, {"protocol_num": 6, "tcp_flags": 18, "src_endpoint_port": 50000, "dst_endpoint_port": 22}),
        (False, {"protocol_num": 6, "tcp_flags": 19, "src_endpoint_port": 80, "dst_endpoint_port": 80}),
        (True, {"protocol_num": 6, "tcp_flags": 0, "src_endpoint_port": 50000, "dst_endpoint_port": 22}),
        (False, {"protocol_num": 6, "tcp_flags": 4, "src_endpoint_port": 22, "dst_endpoint_port": 50000}),
        (False, {"protocol_num": 6, "tcp_flags": 4, "src_endpoint_port": 50000, "dst_endpoint_port": 40000}),
        (True, {"protocol_num": 6, "tcp_flags": None, "src_endpoint_port": 50000, "dst_endpoint_port": 22}),
        (False, {"protocol_num": 17, "tcp_flags": 0, "src_endpoint_port": 53, "dst_endpoint_port": 50000}),
        (None, {"protocol_num": 17, "src_endpoint_port": 123, "dst_endpoint_port": 123}),
        (None, {"protocol_num": 6, "src_endpoint_port": None, "dst_endpoint_port": None}),
        (True, {"protocol_num": 1, "src_endpoint_port": 0, "dst_endpoint_port": 0}),
        (False, {"protocol_num": None}),
    ],
)
def test_the_client_of_a_connection_is_told_by_flags_then_by_ports(is_request, values):
    assert flow(**values)["is_request"] is is_request


SYN_TO_80 = {
    "protocol_num": 6,
    "tcp_flags": 2,
    "src_endpoint_port": 50000,
    "dst_endpoint_port": 80,
    "traffic_packets": 1,
    "traffic_bytes": 60,
}


@pytest.mark.parametrize(
    ("is_probe", "change"),
    [
        (1, {}),
        (1, {"traffic_packets": 2, "traffic_bytes": 120}),
        (1, {"tcp_flags": None}),
        (0, {"traffic_packets": 3, "traffic_bytes": 164}),
        (0, {"traffic_bytes": 61}),
        (0, {"tcp_flags": 18}),
        (0, {"tcp_flags": 4}),
        (0, {"tcp_flags": 0}),
        (0, {"tcp_flags": None, "src_endpoint_port": 60000, "dst_endpoint_port": 50000}),
        (0, {"protocol_num": 17, "tcp_flags": None}),
        (0, {"traffic_packets": None}),
        (0, {"dst_endpoint_port": None, "tcp_flags": None}),
    ],
)
def test_a_probe_is_a_connection_that_came_to_nothing(is_probe, change):
    assert flow(**SYN_TO_80 | change)["is_probe"] == is_probe


def test_both_directions_of_a_conversation_have_one_public_end():
    there = {"src_endpoint_ip_v4": INSIDE, "dst_endpoint_ip_v4": OUTSIDE, **SYN_TO_80}
    back = {
        "src_endpoint_ip_v4": OUTSIDE,
        "dst_endpoint_ip_v4": INSIDE,
        **SYN_TO_80,
        "src_endpoint_port": 80,
        "dst_endpoint_port": 50000,
    }
    ends = {"remote_ip_v4": OUTSIDE, "remote_port": 80, "local_ip_v4": INSIDE, "local_port": 50000}
    assert flow(**there).items() >= (ends | {"is_sent": True, "sent_packets": 1, "sent_bytes": 60}).items()
    assert flow(**back).items() >= (ends | {"is_sent": False, "sent_packets": 0, "sent_bytes": 0}).items()


@pytest.mark.parametrize("peer", [INSIDE + 1, None], ids=["private", "unknown"])
def test_a_conversation_without_just_one_public_end_has_no_remote_one(peer):
    row = flow(src_endpoint_ip_v4=INSIDE, dst_endpoint_ip_v4=peer, **SYN_TO_80)
    assert (row["is_sent"], row["remote_ip_v4"], row["local_port"], row["sent_packets"]) == (None, None, None, 0)


def test_public_ends_are_told_for_ipv4_and_unknown_for_ipv6():
    row = flow(src_endpoint_ip_v4=INSIDE, dst_endpoint_ip_v4=OUTSIDE)
    assert (row["src_is_public"], row["dst_is_public"]) == (False, True)
    row = flow(src_endpoint_ip="2001:db8::1", dst_endpoint_ip="2001:db8::2")
    assert (row["src_is_public"], row["dst_is_public"]) == (None, None)


def test_a_flow_has_the_categories_of_both_ends():
    row = flow(STORE, src_endpoint_ip_v4=INSIDE, dst_endpoint_ip_v4=OUTSIDE)
    assert (row["src_endpoint_indicators"], row["dst_endpoint_indicators"]) == (0, bit("c2") | bit("custom"))
    row = flow(STORE, src_endpoint_ip="2001:db8::1", dst_endpoint_ip_v4=None)
    assert (row["src_endpoint_indicators"], row["dst_endpoint_indicators"]) == (0, 0)


def test_a_flow_is_about_the_instance_or_else_the_interface():
    assert flow(instance_uid="i-1", interface_uid="eni-1")["resource_uid"] == "i-1"
    assert flow(instance_uid=None, interface_uid="eni-1")["resource_uid"] == "eni-1"


@pytest.mark.parametrize("store", [NOBODY, STORE], ids=["no lists", "lists"])
def test_categorical_identifiers_are_enriched_alike(store):
    row = {"instance_uid": None, "interface_uid": "eni-1", "src_endpoint_ip_v4": OUTSIDE, "dst_endpoint_ip_v4": INSIDE}
    frame = network_activity.SCHEMA.frame([row, row | {"instance_uid": "i-1"}])
    categorical = frame.with_columns(pl.col(pl.String).cast(pl.Categorical))
    plain = enrich(frame, network_activity.SCHEMA, store)
    assert enrich(categorical, network_activity.SCHEMA, store).cast({pl.Categorical: pl.String}).equals(plain)


@pytest.mark.parametrize(
    "schema", [api_activity.SCHEMA, network_activity.SCHEMA, dns_activity.SCHEMA], ids=lambda s: s.name
)
def test_columns_added_are_the_same_with_and_without_lists(schema):
    with_lists, without = enrich(schema.frame(), schema, STORE), enrich(schema.frame(), schema, NOBODY)
    assert with_lists.schema == without.schema


def test_a_call_has_the_categories_of_its_caller_in_text():
    rows = [{"src_endpoint_ip": ip} for ip in ("203.0.113.9", "198.51.100.1", "08.1.250.216", "2001:db8::1", None)]
    frame = enrich(api_activity.SCHEMA.frame(rows), api_activity.SCHEMA, STORE)
    assert frame["src_endpoint_indicators"].to_list() == [bit("c2"), 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("principal", "values"),
    [
        (
            "AROA1",
            {"actor_session_issuer_uid": "AROA1", "actor_user_uid_alt": "AROA1:build-7", "actor_user_uid": "arn"},
        ),
        ("AIDA1", {"actor_user_uid_alt": "AIDA1", "actor_user_uid": "arn"}),
        ("arn", {"actor_user_uid": "arn"}),
        (None, {"api_operation": "GetObject"}),
    ],
)
def test_all_sessions_of_a_role_are_one_principal(principal, values):
    frame = enrich(api_activity.SCHEMA.frame([values]), api_activity.SCHEMA, NOBODY)
    assert frame["actor_principal"].to_list() == [principal]


def test_a_query_has_the_categories_of_its_name():
    rows = [{"query_hostname": name} for name in ("pool.bad.example", "notbad.example", None)]
    frame = enrich(dns_activity.SCHEMA.frame(rows), dns_activity.SCHEMA, STORE)
    assert frame["query_indicators"].to_list() == [bit("crypto"), 0, 0]


@pytest.mark.parametrize(
    ("resource", "values"),
    [
        ("i-1", {"instance_uid": "i-1", "vpc_uid": "vpc-1", "src_endpoint_ip": "10.0.0.5"}),
        ("vpc-1/10.0.0.5", {"instance_uid": None, "vpc_uid": "vpc-1", "src_endpoint_ip": "10.0.0.5"}),
        (None, {"instance_uid": None, "vpc_uid": None, "src_endpoint_ip": "10.0.0.5"}),
    ],
)
def test_a_query_is_about_the_instance_or_else_the_clients_address(resource, values):
    frame = enrich(dns_activity.SCHEMA.frame([values]), dns_activity.SCHEMA, NOBODY)
    assert frame["resource_uid"].to_list() == [resource]
