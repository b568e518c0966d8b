"""What databases said of a network holds for all its addresses, and is asked for once."""

from __future__ import annotations

import os
from ipaddress import IPv4Address, IPv4Network

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from guardray.geo import answers as answers_module
from guardray.geo.answers import TOLD, Answers
from guardray.geo.databases import Databases
from guardray.schema.addresses import ipv4_number


class Registry:
    """Disjoint networks, each announced by the system of its own number; counts how often it is asked."""

    def __init__(self, prefix: int) -> None:
        self.prefix, self.asked = prefix, 0

    def ask(self, number: int) -> tuple[dict, int]:
        self.asked += 1
        return {"country_code": "FR", "asn": number >> (32 - self.prefix)}, self.prefix


def numbers(*texts: str) -> np.ndarray:
    return np.array([ipv4_number(text) for text in texts], np.uint32)


def test_a_second_address_of_a_network_is_not_asked_about():
    registry = Registry(24)
    answers = Answers(registry.ask)
    first = answers.of(numbers("9.9.9.1", "8.8.8.8", "9.9.9.255"))
    assert first.rows() == [("FR", 0x090909), ("FR", 0x080808), ("FR", 0x090909)]
    assert answers.of(numbers("8.8.8.0", "9.9.9.9")).rows() == [("FR", 0x080808), ("FR", 0x090909)]
    assert (registry.asked, len(answers)) == (2, 2)


@pytest.mark.parametrize("prefix", [0, 1, 31, 32])
def test_networks_may_be_of_any_length(prefix: int):
    asked = numbers("0.0.0.0", "127.255.255.255", "128.0.0.0", "255.255.255.255")
    found = Answers(Registry(prefix).ask).of(asked)
    assert found["asn"].to_list() == [int(number) >> (32 - prefix) for number in asked]


def test_nothing_is_told_of_no_addresses():
    assert Answers(Registry(24).ask).of(np.empty(0, np.uint32)).schema == TOLD


def test_all_is_forgotten_where_it_would_grow_too_large_and_asked_for_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(answers_module, "MOST_KEPT", 2)
    registry = Registry(24)
    answers = Answers(registry.ask)
    answers.of(numbers("1.1.1.1", "2.2.2.2", "3.3.3.3"))
    assert answers.of(numbers("3.3.3.9", "1.1.1.9"))["asn"].to_list() == [0x030303, 0x010101]
    assert (registry.asked, len(answers)) == (5, 2)


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """Countries in a database of IPv6, and autonomous systems in one of IPv4 with other networks within those."""
    folder = tmp_path_factory.mktemp("mmdb")
    country = MMDBWriter(6, "GeoLite2-Country", ipv4_compatible=True)
    country.insert_network(IPSet(["9.0.0.0/8", "8.8.0.0/16"]), {"country": {"iso_code": "FR"}})
    country.insert_network(IPSet(["9.9.9.0/24"]), {"country": {"iso_code": "DE"}})
    system = MMDBWriter(4, "GeoLite2-ASN", int_type="u32")
    system.insert_network(IPSet(["9.9.0.0/16", "8.8.8.8/32"]), {"autonomous_system_number": 64500})
    system.insert_network(IPSet(["9.9.9.128/25"]), {"autonomous_system_number": 64501})
    country.to_db_file(str(folder / "country.mmdb"))
    system.to_db_file(str(folder / "system.mmdb"))
    return Databases.open([folder / "country.mmdb", folder / "system.mmdb"])


addresses = st.integers(0, 2**32 - 1) | st.sampled_from(["9.0.0.0/8", "8.8.8.0/24", "9.9.9.0/24"]).flatmap(
    lambda network: st.integers(int(IPv4Network(network)[0]) - 1, int(IPv4Network(network)[-1]) + 1)
)


@given(batches=st.lists(st.lists(addresses, max_size=20), max_size=4))
def test_whatever_was_asked_before_an_answer_is_that_of_the_databases(databases: Databases, batches):
    answers = Answers(databases.of_network)
    for batch in batches:
        found = answers.of(np.array(batch, np.uint32))
        told = [databases.fields(str(IPv4Address(number))) for number in batch]
        assert found.rows() == [(one.get("country_code"), one.get("asn")) for one in told]


def test_a_file_that_was_replaced_is_read_anew(tmp_path):
    path = tmp_path / "country.mmdb"
    for number, code in enumerate(("FR", "DE")):
        country = MMDBWriter(4, "GeoLite2-Country")
        country.insert_network(IPSet(["9.9.9.0/24"]), {"country": {"iso_code": code}})
        country.to_db_file(str(tmp_path / "new.mmdb"))
        os.utime(tmp_path / "new.mmdb", (number, number))
        (tmp_path / "new.mmdb").replace(path)
        assert Databases.open([path]).of_numbers(numbers("9.9.9.9"))["country_code"].to_list() == [code]
