"""Which texts are indicators, whatever list they are in: addresses, networks, ranges and names."""

from __future__ import annotations

import gzip
import io
import zipfile
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from intel.written import written

from guardray.intel.formats import FORMATS, Columns, parse, sniff
from guardray.schema.addresses import NOT_PUBLIC
from guardray.schema.ipv6 import NOT_PUBLIC_V6


def networks(bits: int, kind: type[IPv4Network] | type[IPv6Network]) -> st.SearchStrategy:
    """Networks of all sizes, with host bits cleared."""
    return st.builds(
        lambda number, prefix: kind((number, prefix), strict=False),
        st.integers(0, 2**bits - 1),
        st.integers(0, bits),
    )


def is_public(network: IPv4Network | IPv6Network) -> bool:
    """Whether any of its addresses is, by the plainest reading."""
    reserved = NOT_PUBLIC if network.version == 4 else NOT_PUBLIC_V6
    return not any(network.subnet_of(one) for one in reserved)


@given(st.lists(st.one_of(networks(32, IPv4Network), networks(128, IPv6Network)), min_size=1, max_size=20))
def test_networks_are_read_as_the_standard_library_reads_them(listed):
    text = "\n".join(["192.0.2.1", *map(str, listed)])
    wanted = {ip_network("192.0.2.1"), *filter(is_public, listed)}
    assert {ip_network(one) for one in written(parse(text.encode(), "plain", "ip"))} == wanted


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_a_range_reaches_from_its_first_to_its_last_address(first, last):
    text = f"192.0.2.1\n{IPv4Address(first)} - {IPv4Address(last)}\n"
    entries = parse(text.encode(), "TXT", "ip")
    ranges = set(entries.v4.select("first", "last").rows()) - {(int(IPv4Address("192.0.2.1")),) * 2}
    reserved = any(first in one and last in one for one in map(_numbers, NOT_PUBLIC))
    assert ranges <= {(first, last)}
    assert bool(ranges) == (first <= last and not reserved) or first == last == int(IPv4Address("192.0.2.1"))


def _numbers(network: IPv4Network) -> range:
    return range(int(network[0]), int(network[-1]) + 1)


@given(st.binary(max_size=400), st.sampled_from(FORMATS), st.sampled_from(["ip", "domain", "any"]))
def test_any_bytes_are_read_or_refused(content, format_, kind):
    with suppress(ValueError):
        assert len(parse(content, format_, kind))


@given(st.text(max_size=200), st.sampled_from(FORMATS))
def test_any_text_is_read_or_refused(text, format_):
    for columns in (Columns(), Columns(indicator="ip", threat_name=2, confidence=3, expires=4, kind=5)):
        with suppress(ValueError):
            assert len(parse(text.encode(), format_, "any", columns=columns))


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("198.51.100.7:443", "198.51.100.7"),
        ("198.51.100.7/32 # why", "198.51.100.7"),
        ("198.51.100.7;some;more", "198.51.100.7"),
        ("203.0.113.129/25", "203.0.113.128/25"),
        ("198.51.100.7-198.51.100.9", "198.51.100.7-198.51.100.9"),
        ("198.51.100.0 - 198.51.100.255, whole", "198.51.100.0/24"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:db8::1/32", "2001:db8::/32"),
        ("2001:db8::1-2001:db8::3", "2001:db8::1-2001:db8::3"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.0/120", "198.51.100.0/24"),
        ("BAD.Example.", "bad.example"),
        ("*.bad.example", "*.bad.example"),
        ("_dmarc.bad.example,since 2024", "_dmarc.bad.example"),
        ("Bücher.example", "xn--bcher-kva.example"),
        ("*.例え.テスト.", "*.xn--r8jz45g.xn--zckzah"),
    ],
)
def test_an_entry_is_understood_however_it_is_written(text, entry):
    assert written(parse(f"{text}\n".encode(), "plain", "any")) == {entry}


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.1",
        "169.254.169.254",
        "192.168.0.0/16",
        "fe80::1",
        "::1",
        "::ffff:10.0.0.1",
        "198.51.100",
        "198.51.100.256",
        "198.51.100.07",
        "198.51.100.0/33",
        "2001:db8::/129",
        "2001:db8::1%eth0",
        "198.51.100.9-198.51.100.7",
        "2001:db8::1-198.51.100.7",
        "https://bad.example/",
        "com",
        "localhost",
        "-bad.example",
        "a..example",
        f"{'a' * 64}.example",
        "d41d8cd98f00b204e9800998ecf8427e",
        "someone@bad.example",
        "☃☃.example" + "☃" * 70,
    ],
)
def test_what_is_no_public_address_and_no_domain_is_skipped_and_counted(text):
    entries = parse(f"198.51.100.7\n{text}\n".encode(), "plain", "any")
    assert (written(entries), entries.skipped, entries.skipped_lines) == ({"198.51.100.7"}, 1, (2,))


def test_the_first_skipped_lines_are_told_and_all_are_counted():
    entries = parse(b"198.51.100.7\n" + b"nonsense\n\n" * 100, "plain", "ip")
    assert (entries.skipped, entries.skipped_lines) == (100, (2, 4, 6, 8, 10))


class TestExceptions:
    @given(networks(32, IPv4Network), networks(32, IPv4Network))
    def test_an_address_is_left_where_it_is_listed_and_not_excepted(self, listed, excepted):
        assume(is_public(listed) and not listed.subnet_of(excepted))
        entries = parse(str(listed).encode(), "plain", "ip", except_=[str(excepted)])
        edges = {int(listed[0]), int(listed[-1]), int(excepted[0]), int(excepted[-1])}
        for number in {one + step for one in edges for step in (-1, 0, 1)} - {-1, 2**32}:
            address = IPv4Address(number)
            held = any(first <= number <= last for first, last in entries.v4.select("first", "last").rows())
            assert held == (address in listed and address not in excepted)

    def test_of_a_network_the_rest_stays_with_what_it_says(self):
        entries = parse(
            b"203.0.113.0/30,x\n2001:db8::/126,x\n",
            "csv",
            "ip",
            columns=Columns(threat_name=2),
            except_=["203.0.113.1", "2001:db8::2"],
        )
        assert written(entries) == {
            "203.0.113.0",
            "203.0.113.2/31",
            "2001:db8::/127",
            "2001:db8::3",
        }
        assert set(entries.v4["threat_name"]) == set(entries.v6["threat_name"]) == {"x"}

    def test_a_name_is_left_out_as_written_and_a_star_means_all_below(self):
        text = b"github.example\nbad.github.example\nshared.example\na.shared.example\n198.51.100.7\n"
        entries = parse(text, "plain", "any", except_=["GitHub.example.", "*.shared.example"])
        assert written(entries) == {"bad.github.example", "shared.example", "198.51.100.7"}
        assert entries.skipped == 0

    def test_an_exception_that_is_no_value_is_refused(self):
        with pytest.raises(ValueError, match="'a b' is no address, network, range or domain"):
            parse(b"198.51.100.7\n", "plain", "ip", except_=["a b"])


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


class TestPacked:
    @pytest.mark.parametrize("pack", [gzip.compress, lambda content: zipped(list=content)])
    def test_packed_lists_are_unpacked(self, pack):
        content = pack(b"198.51.100.7\n")
        assert written(parse(content, "plain", "ip")) == {"198.51.100.7"}
        assert sniff(pack(b"198.51.100.4#4#2#Malicious Host#KR##1,1#3\n")) == "ALIEN_VAULT"

    def test_all_members_of_a_gzip_file_count(self):
        content = gzip.compress(b"198.51.100.7\n") + gzip.compress(b"198.51.100.8\n")
        assert written(parse(content, "plain", "ip")) == {"198.51.100.7", "198.51.100.8"}

    @pytest.mark.parametrize("pack", [gzip.compress, lambda content: zipped(list=content), lambda content: content])
    def test_what_would_unpack_to_more_than_is_allowed_is_refused(self, pack):
        with pytest.raises(ValueError, match="is larger than 1,000,000 bytes"):
            parse(pack(b"198.51.100.7\n" * 100_000), "plain", "ip", max_bytes=1_000_000)

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (gzip.compress(b"198.51.100.7\n" * 50, mtime=0)[:-15], "cannot be unpacked: it is cut short"),
            (gzip.compress(b"198.51.100.7", mtime=0)[:10] + b"\xff" * 20, "cannot be unpacked: "),
            (zipped(a=b"198.51.100.7", b=b"198.51.100.8"), "is a zip of 2 files"),
            (zipped(a=b"198.51.100.7")[:-10], "cannot be unpacked: "),
        ],
    )
    def test_damaged_and_ambiguous_content_is_refused(self, content, reason):
        with pytest.raises(ValueError, match=reason):
            parse(content, "plain", "ip")


def test_addresses_in_any_case_name_what_they_are():
    entries = parse(b"2001:DB8:0:0::00AF\n", "plain", "ip")
    assert {ip_address(one) for one in written(entries)} == {ip_address("2001:db8::af")}
