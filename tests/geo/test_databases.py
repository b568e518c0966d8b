"""What the user's databases and AWS's list say counts before the shipped data."""

from __future__ import annotations

import json
import pickle

import numpy as np
import polars as pl
import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from guardray.errors import UsageError
from guardray.findings.places import Place
from guardray.geo.geography import Geography
from guardray.schema.addresses import ipv4_number

SHIPPED = Geography.load()

CITY = {
    "city": {"names": {"en": "Lyon"}},
    "country": {"iso_code": "FR", "names": {"en": "France"}},
    "location": {"latitude": 45.75, "longitude": 4.85},
}
KOSOVO = {"country": {"iso_code": "XK", "names": {"en": "Kosovo"}}}
PROVIDER = {
    "autonomous_system_number": 14618,
    "autonomous_system_organization": "Amazon",
    "isp": "Amazon.com",
    "organization": "EC2",
}


@pytest.fixture(scope="module")
def databases(tmp_path_factory):
    """A City database and one of providers; both claim a private network too."""
    folder = tmp_path_factory.mktemp("mmdb")
    city = MMDBWriter(6, "GeoLite2-City", ipv4_compatible=True, float_type="f64")
    city.insert_network(IPSet(["1.1.1.0/24", "10.0.0.0/8", "2606:4700:4700::/48", "fd00::/8"]), CITY)
    city.insert_network(IPSet(["8.8.8.0/24"]), KOSOVO)
    provider = MMDBWriter(4, "GeoIP2-ISP", int_type="u32")
    provider.insert_network(IPSet(["1.1.1.0/25", "10.0.0.0/8"]), PROVIDER)
    paths = folder / "city.mmdb", folder / "isp.mmdb"
    city.to_db_file(str(paths[0]))
    provider.to_db_file(str(paths[1]))
    return paths


@pytest.fixture(scope="module")
def geography(databases):
    return Geography.load(databases)


def test_databases_count_before_the_shipped_data_field_by_field(geography):
    assert geography.place("1.1.1.1") == Place(
        city="Lyon",
        country_code="FR",
        country_name="France",
        latitude=45.75,
        longitude=4.85,
        asn=14618,
        asn_org="Amazon",
        isp="Amazon.com",
        org="EC2",
    )
    upper_half = geography.place("1.1.1.200")
    assert (upper_half.city, upper_half.asn, upper_half.asn_org) == ("Lyon", 13335, "Cloudflare, Inc.")
    assert geography.place("9.9.9.9") == SHIPPED.place("9.9.9.9")


def test_columns_say_what_a_single_look_up_says(geography):
    texts = ["1.1.1.1", "1.1.1.200", None, "8.8.8.8", "9.9.9.9", "1.1.1.1", "10.0.0.1", "240.0.0.1"]
    places = [None if text is None else geography.place(text) for text in texts]
    expected = [(None, None) if place is None else (place.country_code, place.asn) for place in places]
    numbers = pl.Series([None if text is None else ipv4_number(text) for text in texts], dtype=pl.UInt32)
    found = geography.columns(numbers)
    assert found.select("country_code", "asn").rows() == expected
    assert found["is_aws"].to_list() == [True, False, None, False, False, True, None, None]
    assert geography.text_columns(pl.Series(texts)).equals(found)
    assert found.schema == SHIPPED.columns(numbers).schema
    assert geography.columns(numbers.clear()).schema == found.schema


def test_all_shipped_borders_are_found_the_same_beside_a_database_that_knows_nothing_of_them(geography):
    numbers = pl.Series(SHIPPED.ipv4.starts[::20])
    known = pl.Series(np.isin(numbers.to_numpy() >> 8, [ipv4_number("1.1.1.0") >> 8, ipv4_number("8.8.8.0") >> 8]))
    assert geography.columns(numbers).filter(~known).equals(SHIPPED.columns(numbers).filter(~known))


def test_ipv6_addresses_are_looked_up_in_databases_that_have_them(geography):
    texts = pl.Series(["2606:4700:4700::1111", "fd00::1", "::ffff:1.1.1.1", "no address"])
    assert geography.text_columns(texts)["country_code"].to_list() == ["FR", None, "FR", None]
    assert geography.place("2606:4700:4700::1111").city == "Lyon"
    assert geography.place("::ffff:1.1.1.1") == geography.place("1.1.1.1")


@pytest.mark.parametrize("text", ["10.0.0.1", "fd00::1", "::ffff:10.0.0.1", "no address"])
def test_what_is_not_public_has_no_place_whatever_a_database_says(geography, text):
    assert geography.place(text) is None


def test_a_country_without_addresses_in_the_shipped_data_is_kept(geography):
    assert geography.place("8.8.8.8").country_name == "Kosovo"
    assert geography.text_columns(pl.Series(["8.8.8.8"]))["country_code"].to_list() == ["XK"]


def test_the_first_database_counts_most(databases, tmp_path):
    other = MMDBWriter(4, "GeoLite2-Country")
    other.insert_network(IPSet(["1.1.1.0/24"]), {"country": {"iso_code": "DE"}})
    other.to_db_file(str(tmp_path / "country.mmdb"))
    assert Geography.load([tmp_path / "country.mmdb", *databases]).place("1.1.1.1").country_code == "DE"
    assert Geography.load([*databases, tmp_path / "country.mmdb"]).place("1.1.1.1").country_code == "FR"


def test_a_copy_in_another_process_reads_the_databases_too(geography):
    assert pickle.loads(pickle.dumps(geography)).place("1.1.1.1") == geography.place("1.1.1.1")


def test_what_is_no_database_is_refused_by_name(tmp_path):
    path = tmp_path / "broken.mmdb"
    with pytest.raises(UsageError, match=r"broken\.mmdb: No such file"):
        Geography.load([path])
    path.write_bytes(b"nothing")
    with pytest.raises(UsageError, match=r"broken\.mmdb: not a MaxMind database"):
        Geography.load([path])


def test_the_list_of_aws_tells_its_addresses_from_others(tmp_path):
    path = tmp_path / "ip-ranges.json"
    ranges = {
        "prefixes": [{"ip_prefix": "1.1.1.0/25", "region": "us-east-1"}, {"ip_prefix": "1.1.1.0/24"}],
        "ipv6_prefixes": [{"ipv6_prefix": "2606:4700:4700::/48"}],
    }
    path.write_text(json.dumps(ranges))
    geography = Geography.load(aws_ranges=path)
    amazon = SHIPPED.ipv4.starts[np.flatnonzero(SHIPPED.ipv4.asns == 16509)[0]]
    numbers = [ipv4_number("1.1.1.0"), ipv4_number("1.1.1.255"), ipv4_number("1.1.2.0"), int(amazon), None]
    found = geography.columns(pl.Series(numbers, dtype=pl.UInt32))["is_aws"].to_list()
    assert found == [True, True, False if found[2] is not None else None, False, None]
    texts = pl.Series(["2606:4700:4700::1111", "2001:4860:4860::8888", "::ffff:1.1.1.1"])
    assert geography.text_columns(texts)["is_aws"].to_list() == [True, False, True]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "has no list prefixes"),
        ('{"prefixes": [{"ip_prefix": "1.1.1.1/24"}]}', r"prefixes\[0\]\.ip_prefix: not a network: '1\.1\.1\.1/24'"),
        ('{"prefixes": [{}], "ipv6_prefixes": []}', r"prefixes\[0\]\.ip_prefix: not a network: None"),
        ('{"prefixes": [], "ipv6_prefixes": [1]}', r"ipv6_prefixes\[0\]"),
    ],
)
def test_a_list_of_aws_of_another_shape_is_refused_by_position(tmp_path, content, reason):
    path = tmp_path / "ip-ranges.json"
    path.write_text(content)
    with pytest.raises(UsageError, match=rf"ip-ranges\.json: {reason}"):
        Geography.load(aws_ranges=path)
