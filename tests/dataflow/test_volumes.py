"""Rows are counted by account, Region and log, however they were cut."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from guardray.dataflow.volumes import VOLUMES, summed, volumes_of
from guardray.schema import api_activity, dns_activity, network_activity

A, B, REGION = "111122223333", "444455556666", "eu-west-1"


def calls(*places):
    """A call for each account, Region and category."""
    names = ("cloud_account_uid", "cloud_region", "event_category")
    return pl.DataFrame(places, dict.fromkeys(names, pl.String), orient="row")


def counted(frame):
    return {(row["account_id"], row["region"], row["source"]): row["rows"] for row in frame.to_dicts()}


def test_data_events_are_a_log_of_their_own():
    frame = calls((A, REGION, "Management"), (A, REGION, "Data"), (A, REGION, None), (B, "us-east-1", "Data"))
    assert counted(volumes_of(api_activity.SCHEMA, frame)) == {
        (A, REGION, "cloudtrail-management"): 2,
        (A, REGION, "cloudtrail-s3"): 1,
        (B, "us-east-1", "cloudtrail-s3"): 1,
    }


def test_what_names_no_account_or_region_is_nobodys():
    frame = calls((None, REGION, "Data"), (A, None, "Data"), ("root", REGION, "Data"), (A, "x" * 31, "Data"))
    assert counted(volumes_of(api_activity.SCHEMA, frame)) == {}


def test_each_schema_has_its_log():
    for schema, source in ((network_activity.SCHEMA, "vpc-flow"), (dns_activity.SCHEMA, "dns")):
        assert counted(volumes_of(schema, calls((A, REGION, None)))) == {(A, REGION, source): 1}


def test_nothing_is_an_empty_count():
    assert summed([]).schema == VOLUMES
    assert summed([VOLUMES.to_frame()]).is_empty()


@given(
    st.lists(st.tuples(st.sampled_from([A, B]), st.just(REGION), st.sampled_from(["Data", "Management"]))),
    st.integers(0),
)
def test_parts_sum_to_the_whole(places, cut):
    cut %= len(places) + 1
    parts = [volumes_of(api_activity.SCHEMA, calls(*part)) for part in (places[:cut], places[cut:])]
    assert counted(summed(parts)) == counted(volumes_of(api_activity.SCHEMA, calls(*places)))
