"""Facts that are compacted answer every later question as all of them would."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from guardray.findings.resources import Instance, NetworkInterface
from guardray.inventory import FACTS, Inventory, facts_of
from guardray.inventory.compaction import compacted
from guardray.schema.addresses import ipv4_number

from .events import ACCOUNT, REGION, VPC, at, batch, event, launch, terminate

HOUR = 60


def facts(*events) -> pl.DataFrame:
    return Inventory(facts_of(batch(*events))).facts


def stop(minutes: float, instance: str, name: str = "StopInstances"):
    return event(minutes, name, {"instancesSet": {"items": [{"instanceId": instance}]}})


def tag(minutes: float, instance: str, key: str, value: str, name: str = "CreateTags"):
    tags = {"items": [{"key": key, "value": value}]}
    return event(minutes, name, {"resourcesSet": {"items": [{"resourceId": instance}]}, "tagSet": tags})


def test_what_has_ended_is_forgotten_with_its_interfaces_and_addresses():
    kept = compacted(facts(launch(0, "i-1", "eni-1", "10.0.0.5"), terminate(60, "i-1")), at(120))
    assert kept.is_empty()


def test_what_ended_lately_or_not_at_all_stays():
    known = facts(launch(0, "i-1", "eni-1", "10.0.0.5"), launch(1, "i-2", "eni-2", "10.0.0.6"), terminate(150, "i-1"))
    assert compacted(known, at(120)).equals(known)


def test_of_an_instance_that_is_stopped_and_started_every_day_the_last_of_each_is_kept():
    calls = [stop(day, "i-1", name) for day in range(100) for name in ("StopInstances", "StartInstances")]
    known = facts(launch(0, "i-1", "eni-1", "10.0.0.5"), *calls)
    assert len(compacted(known, at(1000))) < 10 < len(known)


def test_facts_are_given_back_in_their_order():
    known = facts(*(launch(n, f"i-{n}", f"eni-{n}", f"10.0.0.{n}") for n in range(9)), terminate(20, "i-3"))
    kept = compacted(known, at(40))
    assert kept.equals(Inventory(kept).facts)
    assert kept.schema == FACTS


ids = st.integers(1, 3)
events = st.lists(
    st.one_of(
        st.builds(
            lambda minutes, one, ip, life: [
                launch(minutes, f"i-{one}-{minutes}", f"eni-{one}-{minutes}", f"10.0.0.{ip}"),
                *([terminate(minutes + life, f"i-{one}-{minutes}")] if life else []),
            ],
            st.integers(0, 300),
            ids,
            ids,
            st.sampled_from([0, 5, 30, 200]),
        ),
        st.builds(
            lambda minutes, one, since, name: [stop(minutes, f"i-{one}-{since}", name)],
            st.integers(0, 400),
            ids,
            st.integers(0, 300),
            st.sampled_from(["StopInstances", "StartInstances"]),
        ),
        st.builds(
            lambda minutes, one, since, key, value, name: [tag(minutes, f"i-{one}-{since}", key, value, name)],
            st.integers(0, 400),
            ids,
            st.integers(0, 300),
            st.sampled_from("ab"),
            st.sampled_from("xy"),
            st.sampled_from(["CreateTags", "DeleteTags"]),
        ),
    ),
    max_size=12,
)


@settings(max_examples=100, deadline=None)
@given(events, st.integers(0, 400), st.lists(st.integers(0, 300), min_size=1, max_size=4))
def test_every_later_question_is_answered_as_before(groups, before: int, after: list[int]):
    known = facts(*(one for group in groups for one in group))
    whole, kept = Inventory(known), Inventory(compacted(known, at(before)))
    times = [at(before) + timedelta(minutes=10 + minutes) for minutes in after]
    rows = [
        {"time": time, "cloud_account_uid": ACCOUNT, "cloud_region": REGION, "vpc_uid": vpc, "private_ip_v4": address}
        for time in times
        for vpc in (VPC, None)
        for address in (ipv4_number(f"10.0.0.{n}") for n in (1, 2, 3))
    ]
    asked = pl.DataFrame(rows, schema={name: FACTS[name] for name in rows[0]})
    assert kept.resolve(asked).equals(whole.resolve(asked))
    for uid in _alive(known, before):
        for time in times:
            instance = Instance(instance_id=uid, interface=NetworkInterface())
            assert kept.completed(ACCOUNT, REGION, instance, time) == whole.completed(ACCOUNT, REGION, instance, time)


def _alive(known: pl.DataFrame, before: int) -> list[str]:
    ended = known.filter((pl.col("kind") == "ended") & (pl.col("time") < at(before)))["instance_uid"]
    alive = known["instance_uid"].drop_nulls().unique().sort()
    return alive.filter(~alive.is_in(ended.to_list())).to_list()
