"""Facts are told by EC2's events that succeeded, and nothing makes them crash."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardray.inventory import FACTS, Inventory, facts_of
from guardray.inventory.trail import _TELLS

from .events import batch, event, launch

LAUNCHED = launch(0, "i-1", "eni-1", "10.0.0.5")


def test_a_launch_gives_instance_interface_address_and_attachment():
    assert sorted(facts_of(batch(LAUNCHED))["kind"]) == ["address", "attached", "instance", "interface"]


@pytest.mark.parametrize(
    "change",
    [
        {"api_response_error": "Client.UnauthorizedOperation"},
        {"api_service_name": "lightsail.amazonaws.com"},
        {"api_operation": "DescribeInstances"},
        {"api_response_data": None},
        {"api_response_data": "{"},
        {"api_response_data": '{"instancesSet": {"items": 5}}'},
        {"time": None},
    ],
)
def test_calls_that_failed_or_tell_nothing_give_no_facts(change):
    facts = facts_of(batch(LAUNCHED | change))
    assert len(facts) == 0
    assert facts.schema == FACTS


def test_an_instant_fleet_names_its_instances():
    answer = {"fleetInstanceSet": {"item": {"instanceIds": {"item": "i-9"}, "instanceType": "m5.large"}}}
    facts = facts_of(batch(event(0, "CreateFleet", {}, {"CreateFleetResponse": answer})))
    assert facts["instance_uid"].to_list() == ["i-9"]


anything = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = sorted({word for word in json.dumps(LAUNCHED, default=str).replace("\\", "").split('"') if word.isalnum()})
document = st.recursive(
    anything,
    lambda inner: st.dictionaries(st.sampled_from([*NAMES, "networkInterface", "resourcesSet"]), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(operation=st.sampled_from(sorted(_TELLS)), request=document, response=document)
def test_any_json_gives_facts_or_none_and_they_can_be_looked_up(operation, request, response):
    facts = facts_of(batch(event(0, operation, request, response)))
    frame = batch(LAUNCHED).select("time", "cloud_account_uid", "cloud_region")
    assert Inventory(facts).resolve(frame)["instance_uid"].to_list() == [None]
