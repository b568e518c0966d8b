"""Look-ups by column and by address, against a plain search in the shipped data."""

from __future__ import annotations

import bisect
import pickle
from ipaddress import ip_address

import numpy as np
import polars as pl
import pytest

from guardray.findings.places import Place
from guardray.geo import shipped
from guardray.geo.geography import Geography
from guardray.schema.addresses import ipv4_text

GEOGRAPHY = Geography.load()
CODES = list(shipped.about().countries)


def slowly(number: int, steps: shipped.Steps, starts: list[int]) -> tuple[str | None, int | None]:
    at = bisect.bisect_right(starts, number) - 1
    country, asn = int(steps.countries[at]), int(steps.asns[at])
    return (CODES[country - 1] if country else None, asn or None)


def test_random_addresses_and_all_borders_are_found_as_a_plain_search_finds_them():
    steps = GEOGRAPHY.ipv4
    starts = steps.starts.tolist()
    borders = np.concatenate([steps.starts, steps.starts[1:] - 1, [2**32 - 1]])
    numbers = np.concatenate([np.random.default_rng(1).integers(0, 2**32, 200_000), borders]).astype(np.uint32)
    found = GEOGRAPHY.columns(pl.Series(numbers)).select("country_code", "asn").rows()
    assert found == [slowly(number, steps, starts) for number in numbers.tolist()]


def test_ipv6_texts_are_found_as_a_plain_search_finds_them():
    steps = GEOGRAPHY.ipv6
    starts = [int.from_bytes(start.ljust(16, b"\0")) for start in steps.starts.tolist()]
    numbers = [n for start in starts[1::50] for n in (start - 1, start, start + 1)] + [2**128 - 1]
    texts = pl.Series([str(ip_address(n)) if n > 2**48 else "::" for n in numbers])
    expected = [slowly(n, steps, starts) if n > 2**48 else (None, None) for n in numbers]
    assert GEOGRAPHY.text_columns(texts).select("country_code", "asn").rows() == expected


@pytest.mark.parametrize(
    "text", ["10.0.0.5", "192.168.1.1", "127.0.0.1", "fd00::1", "::1", "no address", "08.1.250.216"]
)
def test_what_is_not_public_has_no_place(text):
    assert GEOGRAPHY.place(text) is None


def test_one_address_is_told_in_full():
    assert GEOGRAPHY.place("1.1.1.1") == Place(
        country_code="AU", country_name="Australia", asn=13335, asn_org="Cloudflare, Inc."
    )
    assert GEOGRAPHY.place("::ffff:1.1.1.1") == GEOGRAPHY.place("1.1.1.1")


def test_nulls_and_categories_keep_their_rows():
    texts = pl.Series(["1.1.1.1", None, "10.0.0.1", "2606:4700:4700::1111", "1.1.1.1"])
    found = GEOGRAPHY.text_columns(texts)
    assert found["asn"].to_list() == [13335, None, None, 13335, 13335]
    assert GEOGRAPHY.text_columns(texts.cast(pl.Categorical)).equals(found)
    assert GEOGRAPHY.columns(pl.Series([None], dtype=pl.UInt32)).row(0) == (None, None, None)


def test_addresses_of_amazon_are_told_by_its_networks():
    aws = int(GEOGRAPHY.ipv4.starts[np.flatnonzero(GEOGRAPHY.ipv4.asns == 16509)[0]])
    assert GEOGRAPHY.text_columns(pl.Series([ipv4_text(aws), "1.1.1.1"]))["is_aws"].to_list() == [True, False]


def test_a_copy_in_another_process_answers_alike():
    assert pickle.loads(pickle.dumps(GEOGRAPHY)).place("8.8.8.8") == GEOGRAPHY.place("8.8.8.8")


def test_the_data_names_its_makers_licence_and_date():
    about = shipped.about()
    assert {"RouteViews", "DB-IP", "NRO"} <= {word.strip("().,") for word in about.attribution.split()}
    assert "CC BY 4.0" in about.licence
    assert about.date.year >= 2026
    assert "RouteViews" in (shipped.DATA / "ATTRIBUTION.md").read_text()
