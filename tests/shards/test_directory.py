"""What the directory says of interfaces, and that it says the same whatever the order and the split of the records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.schema import network_activity
from guardray.shards.directory import ATTRIBUTES, EntityDirectory
from guardray.shards.partition import split
from guardray.stats.hashing import hash_strings, hash_text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OWN, SECOND, NEIGHBOUR = "10.0.0.5", "10.0.0.6", "10.0.0.7"
PUBLIC, OTHER_PUBLIC = "198.51.100.7", "203.0.113.9"


def number(address: str | None) -> int | None:
    return None if address is None else int(IPv4Address(address))


def flow(
    src: str | None, dst: str | None, egress: bool | None = None, seconds: int = 0, **fields: Any
) -> dict[str, Any]:
    return {
        "time": EPOCH + timedelta(seconds=seconds),
        "interface_uid": "eni-1",
        "src_endpoint_ip_v4": number(src),
        "dst_endpoint_ip_v4": number(dst),
        "is_egress": egress,
    } | fields


def directory_of(*flows: dict[str, Any]) -> EntityDirectory:
    directory = EntityDirectory()
    learn(directory, flows)
    return directory


def learn(directory: EntityDirectory, flows: Any) -> None:
    frame = network_activity.SCHEMA.frame(flows)
    directory.update(frame, hash_strings(frame["interface_uid"]))


def ask(directory: EntityDirectory, src: str | None, dst: str | None, interface: str = "eni-1") -> bool | None:
    question = pl.DataFrame(
        {
            "subject": [hash_text(interface)],
            "src_endpoint_ip_v4": [number(src)],
            "dst_endpoint_ip_v4": [number(dst)],
        },
        schema={"subject": pl.UInt64, "src_endpoint_ip_v4": pl.UInt32, "dst_endpoint_ip_v4": pl.UInt32},
    )
    return directory.attach(question)["is_actor"].item()


def test_the_address_that_is_in_all_records_is_the_own_one():
    directory = directory_of(flow(OWN, NEIGHBOUR), flow(SECOND, OWN))
    assert ask(directory, OWN, NEIGHBOUR) is True
    assert ask(directory, NEIGHBOUR, OWN) is False


def test_the_private_one_of_two_candidates_is_the_own_one():
    directory = directory_of(flow(OWN, PUBLIC), flow(PUBLIC, OWN))
    assert ask(directory, OWN, PUBLIC) is True
    assert ask(directory, PUBLIC, OWN) is False


@pytest.mark.parametrize(("one", "other"), [(OWN, NEIGHBOUR), (PUBLIC, OTHER_PUBLIC)])
def test_nothing_is_claimed_when_two_candidates_are_alike(one: str, other: str):
    assert ask(directory_of(flow(one, other)), one, other) is None


@pytest.mark.parametrize(("egress", "is_actor"), [(True, True), (False, False)])
def test_a_logged_direction_decides_between_two_candidates(egress: bool, is_actor: bool):
    assert ask(directory_of(flow(OWN, NEIGHBOUR, egress)), OWN, NEIGHBOUR) is is_actor


def test_surely_own_addresses_stand_in_when_no_address_is_in_all_records():
    directory = directory_of(flow(OWN, PUBLIC), flow(SECOND, OTHER_PUBLIC))
    assert ask(directory, SECOND, NEIGHBOUR) is True
    assert ask(directory, NEIGHBOUR, OWN) is False
    assert ask(directory, OWN, SECOND) is None


def test_the_only_private_end_stands_in_when_the_interface_has_many_addresses():
    flows = [flow(f"10.0.1.{host}", PUBLIC) for host in range(5)] + [flow("10.0.1.9", OTHER_PUBLIC)]
    directory = directory_of(*flows)
    assert ask(directory, "10.0.1.3", PUBLIC) is True
    assert ask(directory, OTHER_PUBLIC, "10.0.1.3") is False
    assert ask(directory, "10.0.1.3", NEIGHBOUR) is None


@pytest.mark.parametrize("private", ["10.1.2.3", "172.31.0.1", "192.168.7.7", "100.64.0.1", "169.254.1.1", "127.0.0.1"])
def test_an_unknown_interface_is_taken_to_be_the_only_private_end(private: str):
    assert ask(EntityDirectory(), private, PUBLIC) is True
    assert ask(EntityDirectory(), PUBLIC, private) is False
    assert ask(EntityDirectory(), private, OWN) is None


@pytest.mark.parametrize("public", ["11.0.0.0", "172.32.0.1", "172.15.0.1", "192.169.0.1", "100.128.0.1", "128.0.0.1"])
def test_addresses_beside_the_private_networks_are_public(public: str):
    assert ask(EntityDirectory(), public, PUBLIC) is None


def test_one_known_end_is_enough_when_the_own_address_is_known():
    directory = directory_of(flow(OWN, NEIGHBOUR), flow(OWN, SECOND))
    assert ask(directory, OWN, None) is True
    assert ask(directory, NEIGHBOUR, None) is False
    assert ask(directory, None, OWN) is False
    assert ask(directory, None, NEIGHBOUR) is True
    assert ask(directory, None, None) is None


def test_records_of_ipv6_say_nothing_of_the_ipv4_address():
    directory = directory_of(flow(None, None), flow(OWN, PUBLIC))
    assert ask(directory, OWN, PUBLIC) is True


def attributes(directory: EntityDirectory, interface: str = "eni-1") -> dict[str, Any]:
    frame = pl.DataFrame({"subject": [hash_text(interface)]}, schema={"subject": pl.UInt64})
    return directory.attach(frame).drop("subject", "is_actor").to_dicts()[0]


def test_attributes_are_those_of_the_latest_record_that_has_them():
    directory = directory_of(
        flow(OWN, PUBLIC, seconds=2, instance_uid="i-new", cloud_account_uid="123456789012"),
        flow(OWN, PUBLIC, seconds=1, instance_uid="i-old", vpc_uid="vpc-1"),
        flow(OWN, PUBLIC, seconds=3),
    )
    assert attributes(directory) == {
        "interface_uid": "eni-1",
        "cloud_account_uid": "123456789012",
        "cloud_region": None,
        "instance_uid": "i-new",
        "vpc_uid": "vpc-1",
        "subnet_uid": None,
    }


def test_attributes_are_null_when_the_interface_is_unknown():
    assert attributes(directory_of(flow(OWN, PUBLIC)), "eni-2") == dict.fromkeys(ATTRIBUTES)
    assert attributes(EntityDirectory()) == dict.fromkeys(ATTRIBUTES)


addresses = st.one_of(st.none(), st.sampled_from([OWN, SECOND, NEIGHBOUR, PUBLIC, OTHER_PUBLIC]))
flows = st.lists(
    st.builds(
        flow,
        src=addresses,
        dst=addresses,
        egress=st.sampled_from([None, None, True, False]),
        seconds=st.integers(0, 3),
        interface_uid=st.sampled_from(["eni-1", "eni-2", "eni-3"]),
        cloud_region=st.sampled_from([None, "us-east-1", "eu-central-1"]),
        instance_uid=st.sampled_from([None, "i-1", "i-2"]),
    ),
    max_size=25,
)


def state(*directories: EntityDirectory) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(directory.export()) for directory in directories]).sort("subject")


@given(flows, st.randoms(use_true_random=False), st.integers(1, 4))
def test_state_is_byte_equal_when_records_are_shuffled_split_and_merged(flows, random, parts: int):
    directories = [EntityDirectory() for _ in range(parts)]
    for record in random.sample(flows, len(flows)):
        learn(random.choice(directories), [record])
    merged = EntityDirectory()
    for directory in random.sample(directories, parts):
        merged.merge(directory.export())
    assert state(merged).equals(state(directory_of(*flows)))


@given(flows, st.integers(1, 4))
def test_shards_together_know_what_one_directory_knows(flows, shards: int):
    whole = directory_of(*flows)
    parts = []
    for table in split(whole.export(), shards):
        parts.append(EntityDirectory())
        parts[-1].merge(table)
    assert state(*parts).equals(state(whole))


@given(flows, flows)
def test_a_restored_directory_goes_on_as_the_one_it_was_taken_from(before, after):
    running, restored = directory_of(*before), EntityDirectory()
    restored.merge(running.export())
    for directory in (running, restored):
        learn(directory, after)
    assert restored.export().equals(running.export())


def test_another_kind_of_table_is_refused():
    with pytest.raises(ValueError, match="own_address"):
        EntityDirectory().merge(directory_of().export().drop_columns(["own_address"]))


def test_categorical_columns_are_learned_as_their_texts():
    frame = network_activity.SCHEMA.frame([flow(OWN, PUBLIC, cloud_region="us-east-1")])
    frame = frame.with_columns(pl.col("cloud_region").cast(pl.Categorical))
    directory = EntityDirectory()
    directory.update(frame, np.array([hash_text("eni-1")], dtype=np.uint64))
    assert attributes(directory)["cloud_region"] == "us-east-1"
