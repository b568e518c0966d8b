"""IPv4 addresses as numbers agree with Python's own."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.schema.addresses import NOT_PUBLIC, ipv4_number, ipv4_numbers, ipv4_text, is_public, is_public_number

ADDRESSES = st.integers(0, 2**32 - 1)
EDGES = st.sampled_from(
    [int(end) + step for net in NOT_PUBLIC[1:-1] for end in (net[0], net[-1]) for step in (-1, 0, 1)]
)
DOCUMENTATION = [IPv4Network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]


@given(st.lists(ADDRESSES))
def test_text_and_number_turn_into_each_other(addresses):
    texts = [ipv4_text(address) for address in addresses]
    assert [ipv4_number(text) for text in texts] == addresses
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    assert frame.select(ipv4_numbers(pl.col("text"))).to_series().to_list() == addresses


@given(st.text("0123456789./: ab", max_size=16))
def test_anything_but_a_dotted_quad_has_no_number(text):
    column = pl.DataFrame({"text": [text]}).select(ipv4_numbers(pl.col("text"))).item()
    assert column == ipv4_number(text)


@pytest.mark.parametrize("text", ["", "256.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.4 ", "2001:db8::1"])
def test_malformed_addresses_have_no_number(text):
    assert ipv4_number(text) is None
    assert pl.DataFrame({"text": [text]}).select(ipv4_numbers(pl.col("text"))).item() is None


@given(st.lists(ADDRESSES | EDGES, min_size=1))
def test_public_means_globally_routable_or_documentation(numbers):
    column = pl.DataFrame({"n": numbers}, schema={"n": pl.UInt32}).select(is_public(pl.col("n"))).to_series().to_list()
    assert column == [is_public_number(number) for number in numbers]
    for number, public in zip(numbers, column, strict=True):
        address = IPv4Address(number)
        if not any(address in net for net in DOCUMENTATION) and not _globally_reachable_exception(address):
            assert public == (address.is_global and not address.is_multicast), address


def _globally_reachable_exception(address: IPv4Address) -> bool:
    """192.0.0.0/24 and 192.88.99.0/24: Python versions differ on their few reachable addresses; no host uses them."""
    return any(address in IPv4Network(net) for net in ("192.0.0.0/24", "192.88.99.0/24", "192.31.196.0/24"))


def test_an_unknown_address_is_neither_public_nor_private():
    assert pl.DataFrame({"n": [None]}, schema={"n": pl.UInt32}).select(is_public(pl.col("n"))).item() is None
