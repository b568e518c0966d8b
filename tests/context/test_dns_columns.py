"""What enrichment says of names: whose they are, what they look like and what they and their answers carry."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.context.enrich import enrich
from guardray.intel.store import IndicatorStore
from guardray.schema import dns_activity
from guardray.testing import frame_of

DRAWN = "qxkvbwzjrtpl"
DATA = f"{'abcdefghijklmnopqrstuvwxyz234567' * 2}".replace("z2", "z.2")
"""Each of 32 letters twice: 64 x 5 = 320 bits."""


def enriched(*rows: dict) -> pl.DataFrame:
    return enrich(frame_of(dns_activity.SCHEMA, rows), dns_activity.SCHEMA, IndicatorStore())


def asked(name: str | None, column: str, **columns: object) -> object:
    return enriched({"query_hostname": name, **columns})[column][0]


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        (f"www.{DRAWN}.com", f"{DRAWN}.com"),
        (f"{DRAWN}.co.uk", f"{DRAWN}.co.uk"),
        (f"a.{DRAWN}.bazar", f"{DRAWN}.bazar"),  # below no public suffix
        (f"{DRAWN}.corp", None),
        (f"{DRAWN}.eu-west-1.compute.internal", None),
        ("4.3.2.1.in-addr.arpa", None),
        (DRAWN, None),
        ("", None),
        (None, None),
    ],
)
def test_the_domain_of_a_name_that_is_not_there(name, domain):
    assert asked(name, "query_unresolved_domain", rcode="NXDOMAIN") == domain
    assert asked(name, "query_unresolved_domain", rcode="NOERROR") is None
    assert asked(name, "query_unresolved_domain", rcode=None) is None


def test_only_domains_that_look_generated_are_called_so():
    found = enriched(*({"query_hostname": name, "rcode": "NXDOMAIN"} for name in (f"{DRAWN}.com", "garden.com")))
    assert found["query_generated_domain"].to_list() == [f"{DRAWN}.com", None]
    assert found["query_generated_percent"][0] > 90


def test_names_that_clouds_give_customers_are_not_judged():
    assert asked("d38psrni17bvxu.cloudfront.net", "query_generated_percent", rcode="NXDOMAIN") is None


def test_a_name_that_carries_data_is_told_with_its_domain_and_bits():
    (row,) = enriched({"query_hostname": f"{DATA}.t.example.com"}).iter_rows(named=True)
    assert row["query_carrier_domain"] == "example.com"
    assert row["query_carrier"] == f"{DATA}.t.example.com"
    assert 320 <= row["query_bits"] <= 330
    assert row["answers_bytes"] == 0


@pytest.mark.parametrize(
    "name",
    [
        "www.example.com",
        "a-rather-long.example.com",
        f"{DATA}.eu-west-1.compute.internal",
        f"{DATA}.eu-west-1.amazonaws.com",
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.dnsbl.example.com",
        "a" * 40 + ".example.com",
        None,
    ],
)
def test_names_that_carry_little_or_reach_no_stranger_are_not_told(name):
    columns = ("query_carrier_domain", "query_bits", "answers_bytes", "query_carrier")
    assert enriched({"query_hostname": name}).select(columns).row(0) == (None,) * 4


def test_a_name_without_a_domain_is_all_chosen():
    (row,) = enriched({"query_hostname": f"tunnel.{DATA}1"}).iter_rows(named=True)
    assert (row["query_carrier_domain"], row["query_carrier"]) == ("", f"tunnel.{DATA}1")


@pytest.mark.parametrize(
    ("kind", "answers", "expected"),
    [
        ("TXT", ["x" * 250], 250),
        ("NULL", ["x" * 60, "y" * 60], 120),
        ("TXT", ["x" * 99], None),
        ("TXT", [], None),
        ("TXT", None, None),
        ("AAAA", ["2001:db8::1"] * 20, None),
    ],
)
def test_long_answers_count_where_they_are_free_to_write(kind, answers, expected):
    assert asked("1.example.com", "answers_bytes", query_type=kind, answers=answers) == expected


names = st.text("ab1-.\\_é", max_size=90) | st.sampled_from([f"{DATA}.example.com", f"{DRAWN}.com", "com", "."])


@given(st.lists(st.tuples(names, st.sampled_from(["NOERROR", "NXDOMAIN", None])), max_size=6))
def test_rows_are_told_alike_alone_and_together(queries):
    rows = [{"query_hostname": name, "rcode": rcode} for name, rcode in queries]
    together = enriched(*rows).drop("time")
    assert together.height == len(rows)
    for place, row in enumerate(rows):
        assert enriched(row).drop("time").row(0) == together.row(place)
