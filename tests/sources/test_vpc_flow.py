"""VPC Flow Logs as text, against the documentation's examples and against a slow, plain reading of the same lines."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.errors import SourceError
from guardray.schema.network_activity import SCHEMA
from guardray.sources.decoder import Decoded, Origin
from guardray.sources.vpc_flow import VpcFlowText
from guardray.sources.vpc_flow.zones import region_of_zone

KEY_TIME = datetime(2021, 3, 26, 20, 5, tzinfo=UTC)
NOWHERE = Origin(url="flow.log")
HEADER = (
    b"version account-id interface-id srcaddr dstaddr srcport dstport protocol "
    b"packets bytes start end action log-status"
)
RECORD = b"2 123456789012 eni-1 10.0.0.5 198.51.100.7 49761 443 6 20 4249 1418530010 1418530070 ACCEPT OK"


def decode(text: bytes, origin: Origin = NOWHERE, offset: int = 0) -> Decoded:
    decoded = VpcFlowText().decode(text, offset, origin)
    assert decoded.frame.schema == SCHEMA.polars
    assert decoded.read == decoded.frame.height + len(decoded.bad) + decoded.empty
    return decoded


def lines(*records: bytes) -> bytes:
    return b"".join(record + b"\n" for record in records)


def only_row(text: bytes, origin: Origin = NOWHERE) -> dict[str, object]:
    (row,) = decode(text, origin).frame.to_dicts()
    return row


# What the documentation shows.


@pytest.mark.data
@pytest.mark.parametrize(
    ("example", "rows", "empty"),
    [("00", 5, 2), ("01", 8, 0), ("02", 6, 0), ("03", 4, 0), ("04", 2, 0)],
)
def test_examples_of_the_documentation_decode_in_every_field_order(shared_data, example, rows, empty):
    text = (shared_data / "vpc-flow" / "aws-docs-examples" / f"example-{example}.log").read_bytes()
    decoded = decode(text, Origin(url="e", key_time=KEY_TIME))
    assert (decoded.frame.height, decoded.empty, decoded.bad) == (rows, empty, ())


@pytest.mark.data
def test_a_version_5_record_fills_every_column(shared_data):
    text = (shared_data / "vpc-flow" / "aws-docs-examples" / "example-04.log").read_bytes()
    assert decode(text).frame.row(0, named=True) == {
        "time": datetime(2021, 3, 26, 3, 28, 12, tzinfo=UTC),
        "end_time": datetime(2021, 3, 26, 3, 29, 9, tzinfo=UTC),
        "cloud_account_uid": "123456789012",
        "cloud_region": "ap-southeast-2",
        "interface_uid": "eni-1235b8ca123456789",
        "instance_uid": "i-0c50d5961bcb2d47b",
        "vpc_uid": "vpc-abcdefab012345678",
        "subnet_uid": "subnet-aaaaaaaa012345678",
        "src_endpoint_ip": None,
        "dst_endpoint_ip": None,
        "src_endpoint_ip_v4": int(IPv4Address("52.95.128.179")),
        "dst_endpoint_ip_v4": int(IPv4Address("10.0.0.71")),
        "src_endpoint_port": 80,
        "dst_endpoint_port": 34210,
        "protocol_num": 6,
        "tcp_flags": 19,
        "traffic_packets": 14,
        "traffic_bytes": 15044,
        "is_rejected": False,
        "is_egress": False,
        "is_late": False,
    }


@pytest.mark.data
def test_an_ipv6_record_has_its_addresses_as_text(shared_data):
    text = (shared_data / "vpc-flow" / "aws-docs-examples" / "example-00.log").read_bytes()
    row = decode(text).frame.row(-1, named=True)
    assert row["src_endpoint_ip"] == "2001:db8:1234:a100:8d6e:3477:df66:f105"
    assert row["dst_endpoint_ip"] == "2001:db8:1234:a102:3304:8879:34cf:4071"
    assert row["src_endpoint_ip_v4"] is row["dst_endpoint_ip_v4"] is None


# Where a log begins, and where it begins anew.


def test_records_without_a_header_are_in_the_default_format():
    assert decode(lines(RECORD, RECORD)).frame.equals(decode(lines(HEADER, RECORD, RECORD)).frame)


def test_the_time_that_cloudwatch_puts_before_records_is_passed_over():
    exported = lines(b"2014-12-14T04:06:50.000Z " + RECORD, b"2014-12-14T04:06:51.000Z " + RECORD)
    assert decode(exported).frame.equals(decode(lines(RECORD, RECORD)).frame)


def test_lines_before_the_first_layout_are_bad_rows():
    decoded = decode(lines(b"#fields", b"", RECORD), offset=100)
    assert [(row.position, row.content) for row in decoded.bad] == [(100, b"#fields")]
    assert decoded.frame.height == 1


def test_a_header_that_comes_again_is_no_record():
    assert decode(lines(HEADER, RECORD, HEADER, RECORD)).read == 2


def test_another_header_holds_for_the_records_under_it():
    other = b"srcaddr dstaddr start dstport"
    decoded = decode(lines(HEADER, RECORD, other, b"10.0.0.9 10.0.0.8 1418530099 53", HEADER, RECORD))
    assert decoded.frame["dst_endpoint_port"].to_list() == [443, 53, 443]


def test_another_header_with_as_many_fields_holds_for_the_records_under_it():
    swapped = HEADER.replace(b"srcport dstport", b"dstport srcport")
    decoded = decode(lines(HEADER, RECORD, swapped, RECORD))
    assert decoded.frame["dst_endpoint_port"].to_list() == [443, 49761]


def test_a_layout_holds_for_later_pieces_of_the_object():
    decoder = VpcFlowText()
    decoder.decode(lines(HEADER), 0, NOWHERE)
    assert decoder.decode(lines(RECORD), 115, NOWHERE).frame.height == 1


def test_a_header_may_have_underscores_and_unknown_fields():
    row = only_row(
        lines(b"flow_direction x-new src_port srcaddr dstaddr start", b"egress ? ! 10.0.0.9 10.0.0.8 1418530099")
    )
    assert row["is_egress"] is True


def test_a_record_that_looks_like_a_header_is_a_record():
    text = lines(b"srcaddr dstaddr start ecs-service-name", b"fd00::1 fd00::2 1418530099 srcaddr-mirror")
    assert only_row(text)["src_endpoint_ip"] == "fd00::1"


@pytest.mark.parametrize(
    ("header", "lacks"),
    [
        (b"version account-id interface-id start", "srcaddr, dstaddr"),
        (b"srcaddr dstaddr action", "start or end"),
    ],
)
def test_a_first_header_without_which_records_tell_nothing_sets_the_object_aside(header, lacks):
    with pytest.raises(SourceError, match=lacks):
        decode(lines(header))


def test_a_later_header_with_which_records_tell_nothing_is_a_bad_row():
    decoded = decode(lines(HEADER, b"srcaddr dstaddr action", RECORD))
    assert [row.content for row in decoded.bad] == [b"srcaddr dstaddr action"]
    assert decoded.frame.height == 1


# What fields may hold.


def with_field(name: str, value: str) -> bytes:
    names, values = HEADER.split(), RECORD.split()
    values[names.index(name.encode())] = value.encode()
    return lines(HEADER, b" ".join(values))


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("srcport", "70000", "srcport '70000' is no number up to 65535"),
        ("dstport", "-1", "dstport '-1' is no number up to 65535"),
        ("protocol", "tcp", "protocol 'tcp' is no number up to 255"),
        ("packets", "1.5", "packets '1.5' is no number"),
        ("bytes", "9" * 19, "is no number up to 999999999999999999"),
        ("start", "4102444800", "start '4102444800' is no number up to 4102444799"),
        ("srcaddr", "10.0.0.256", "srcaddr '10.0.0.256' is no address"),
        ("srcaddr", "08.1.250.216", "srcaddr '08.1.250.216' is no address"),
        ("dstaddr", "10.0.0", "dstaddr '10.0.0' is no address"),
        ("dstaddr", "fe80::1::2", "dstaddr 'fe80::1::2' is no address"),
        ("action", "DROP", "action 'DROP' is none of ACCEPT, REJECT"),
        ("log-status", "ok", "log-status 'ok' is none of OK, NODATA, SKIPDATA"),
        ("account-id", "1234", "account-id '1234' is no account of 12 digits"),
        ("interface-id", "eni-é", "interface-id 'eni-é' is not ASCII"),
        ("interface-id", "", "interface-id '' is empty"),
    ],
)
def test_a_field_with_nonsense_makes_a_bad_row_that_says_so(name, value, reason):
    (bad,) = decode(with_field(name, value)).bad
    assert reason in bad.reason


@pytest.mark.parametrize("name", [*HEADER.decode().split()[1:-4], "action"])
def test_a_dash_is_null_in_any_field(name):
    row = only_row(with_field(name, "-"))
    assert sum(value is None for value in row.values()) >= sum(
        value is None for value in only_row(lines(RECORD)).values()
    )


def test_a_field_that_a_record_has_no_value_for_is_null():
    row = only_row(with_field("srcport", "-"))
    assert row["src_endpoint_port"] is None
    assert row["dst_endpoint_port"] == 443


def test_the_end_may_be_before_the_start():
    assert only_row(with_field("end", "1418530000"))["end_time"] == datetime(2014, 12, 14, 4, 6, 40, tzinfo=UTC)


def test_a_record_without_start_and_end_has_the_time_of_its_object():
    timeless = lines(b"srcaddr dstaddr", b"10.0.0.9 10.0.0.8")
    assert only_row(timeless, Origin(url="f", key_time=KEY_TIME))["time"] == KEY_TIME


def test_a_record_without_any_time_is_a_bad_row():
    (bad,) = decode(lines(b"srcaddr dstaddr start", b"10.0.0.9 10.0.0.8 -")).bad
    assert bad.reason == "has no time"


@pytest.mark.parametrize("account", ["-", "unknown"])
def test_what_the_name_of_the_object_tells_fills_what_a_record_lacks(account):
    row = only_row(with_field("account-id", account), Origin(url="f", account_id="210987654321", region="eu-west-1"))
    assert (row["cloud_account_uid"], row["cloud_region"]) == ("210987654321", "eu-west-1")


def test_the_region_is_read_off_the_zone_where_it_is_no_field():
    text = lines(b"srcaddr dstaddr start az-id", b"10.0.0.9 10.0.0.8 1418530099 usw2-lax1-az1")
    assert only_row(text, Origin(url="f", region="eu-west-1"))["cloud_region"] == "us-west-2"


@pytest.mark.parametrize(
    ("zone", "region"),
    [
        ("use1-az1", "us-east-1"),
        ("apse2-az3", "ap-southeast-2"),
        ("aps1-az2", "ap-south-1"),
        ("usgw1-az1", "us-gov-west-1"),
        ("cnnw1-az1", "cn-northwest-1"),
        ("mec1-az1", "me-central-1"),
        ("zone", None),
    ],
)
def test_a_zone_names_its_region(zone, region):
    assert region_of_zone(zone) == region


def test_the_addresses_of_packets_stand_in_for_those_of_the_interface():
    text = lines(b"pkt-srcaddr pkt-dstaddr start", b"10.0.0.9 10.0.0.8 1418530099")
    assert only_row(text)["dst_endpoint_ip_v4"] == int(IPv4Address("10.0.0.8"))


def test_rows_earlier_than_the_lateness_bound_are_late():
    origin = Origin(url="f", key_time=datetime(2014, 12, 15, tzinfo=UTC), lateness=timedelta(hours=19, minutes=53))
    text = lines(HEADER, RECORD, RECORD.replace(b"1418530010", b"1418530020"))
    # 2014-12-15 00:00:00 less 19:53 h is 04:07:00; the records begin at 04:06:50 and 04:07:00.
    assert decode(text, origin).frame["is_late"].to_list() == [True, False]


# How lines are laid out.


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b" \n", b"  \r\n"])
def test_blanks_at_the_end_of_a_line_are_ignored(end):
    assert decode(HEADER + end + RECORD + end + end + RECORD + end).frame.height == 2


def test_the_last_line_may_lack_its_end():
    assert decode(lines(HEADER) + RECORD).frame.height == 1


def test_a_bad_row_has_the_offset_and_content_of_its_line():
    decoded = decode(lines(HEADER, RECORD, b"2 short", RECORD, b"", b"junk", RECORD), offset=1000)
    first = 1000 + len(HEADER) + 1 + len(RECORD) + 1
    second = first + len(b"2 short\n") + len(RECORD) + 2
    assert [(row.position, row.content) for row in decoded.bad] == [(first, b"2 short"), (second, b"junk")]
    assert decoded.frame.height == 3


def test_any_number_of_lines_may_be_bad():
    decoded = decode(lines(HEADER, *[b"junk"] * 10_000, RECORD))
    assert len(decoded.bad) == 10_000
    assert decoded.frame.height == 1


def test_a_line_of_blanks_alone_is_no_record():
    assert decode(lines(HEADER, b"   ", RECORD, b"\r")).read == 1


# The same as a plain reading of the same lines.

LEADING = ("srcaddr", "dstaddr", "start")
NUMBERS = {
    "srcport": ("src_endpoint_port", 65535),
    "dstport": ("dst_endpoint_port", 65535),
    "protocol": ("protocol_num", 255),
    "tcp-flags": ("tcp_flags", 255),
    "packets": ("traffic_packets", 10**18 - 1),
    "bytes": ("traffic_bytes", 10**18 - 1),
    "start": ("time", 4102444799),
    "end": ("end_time", 4102444799),
}
WORDS = {
    "interface-id": ("interface_uid", None),
    "vpc-id": ("vpc_uid", None),
    "action": ("is_rejected", {"ACCEPT": False, "REJECT": True}),
    "flow-direction": ("is_egress", {"ingress": False, "egress": True}),
    "log-status": ("status", {"OK": True, "NODATA": False, "SKIPDATA": False}),
}


@dataclass
class Plain:
    """A reading of a log with a header, one line after another."""

    rows: list[dict[str, object]] = field(default_factory=list)
    bad: list[tuple[int, bytes]] = field(default_factory=list)
    empty: int = 0


def plain_reading(text: bytes) -> Plain:
    plain = Plain()
    position = 0
    names: list[str] = []
    for line in text.split(b"\n"):
        content = line.rstrip(bytes(range(33)))
        values = re.split(rb"[\x00-\x20]", content)
        if set(LEADING) <= {value.decode(errors="replace") for value in values}:
            names = content.decode().split()
        elif content:
            try:
                row = plain_row(names, values)
            except ValueError:
                plain.bad.append((position, content))
            else:
                plain.empty += row is None
                plain.rows += [] if row is None else [row]
        position += len(line) + 1
    return plain


def plain_row(names: list[str], values: list[bytes]) -> dict[str, object] | None:
    row: dict[str, object] = {}
    for name, value in zip(names, values, strict=True):
        row |= plain_field(name, value)
    if row.pop("status", True) is False:
        return None
    row["end_time"] = row.get("end_time") or row.get("time")
    row["time"] = row.get("time") or row["end_time"]
    if row["time"] is None:
        raise ValueError
    return row


def plain_field(name: str, value: bytes) -> dict[str, object]:
    if name in ("srcaddr", "dstaddr"):
        return plain_address(f"{name[:3]}_endpoint_ip", value.decode("ascii"))
    if name in NUMBERS:
        column, most = NUMBERS[name]
        if value != b"-" and not (re.fullmatch(rb"[0-9]{1,18}", value) and int(value) <= most):
            raise ValueError
        number = None if value == b"-" else int(value)
        is_time = number is not None and column in ("time", "end_time")
        return {column: datetime.fromtimestamp(number, UTC) if is_time else number}
    if name in WORDS:
        column, meanings = WORDS[name]
        word = value.decode("ascii")
        if not word or (word != "-" and meanings is not None and word not in meanings):
            raise ValueError
        return {column: None if word == "-" else word if meanings is None else meanings[word]}
    return {}


def plain_address(column: str, value: str) -> dict[str, object]:
    if value == "-":
        return {column: None, f"{column}_v4": None}
    try:
        return {column: None, f"{column}_v4": int(IPv4Address(value))}
    except ValueError:
        return {column: str(value) if IPv6Address(value) else None, f"{column}_v4": None}


ADDRESSES = st.ip_addresses().map(str)
FIELD_VALUES = {
    "srcaddr": ADDRESSES,
    "dstaddr": ADDRESSES,
    **{name: st.integers(0, most).map(str) for name, (_, most) in NUMBERS.items()},
    "interface-id": st.sampled_from(["eni-1", "eni-22", "eni-333"]),
    "vpc-id": st.from_regex(r"vpc-[0-9a-f]{1,17}", fullmatch=True),
    "action": st.sampled_from(["ACCEPT", "REJECT"]),
    "flow-direction": st.sampled_from(["ingress", "egress"]),
    "log-status": st.sampled_from(["OK", "OK", "OK", "NODATA", "SKIPDATA"]),
    "traffic-path": st.integers(1, 8).map(str),
}
ODD_VALUES = st.sampled_from(["-", "-", "", "0", "00", "65536", "1.2.3", "::", "x" * 40, "é", "\t", "NODATA"])
JUNK = st.binary(max_size=40).filter(lambda junk: b"\n" not in junk)


@st.composite
def logs(draw) -> bytes:
    others = draw(st.permutations(sorted(set(FIELD_VALUES) - set(LEADING))))
    names = draw(st.permutations([*LEADING, *others[: draw(st.integers(0, len(others)))]]))
    record = (
        st.tuples(*(st.one_of(*[FIELD_VALUES[name]] * 8, ODD_VALUES) for name in names)).map(" ".join).map(str.encode)
    )
    header = " ".join(names).encode()
    body = draw(st.lists(st.one_of(record, record, record, JUNK, st.just(b""), st.just(header)), max_size=12))
    end = draw(st.sampled_from([b"\n", b"\r\n", b" \n"]))
    text = end.join([header, *body])
    return text + end if draw(st.booleans()) else text


@given(text=logs(), cuts=st.sets(st.integers(0, 12), max_size=3))
def test_rows_and_bad_rows_are_those_of_a_plain_reading_however_the_log_is_cut(text, cuts):
    decoded = decode_in_pieces(text, cuts)
    plain = plain_reading(text)
    assert [(row.position, row.content) for row in decoded.bad] == plain.bad
    assert decoded.empty == plain.empty
    columns = sorted({name for row in plain.rows for name in row})
    expected = pl.DataFrame(plain.rows, schema={name: SCHEMA.polars[name] for name in columns}, orient="row")
    assert decoded.frame.select(columns if plain.rows else []).to_dicts() == expected.to_dicts()
    assert decoded.read == decoded.frame.height + len(decoded.bad) + decoded.empty


def decode_in_pieces(text: bytes, cuts: set[int]) -> Decoded:
    """The pieces of a log from one decoder; rows that are bad in the order in which they stand in the log."""
    decoder = VpcFlowText()
    ends = [match.end() for match in re.finditer(rb"\n", text)]
    bounds = sorted({0, len(text), *(ends[cut] for cut in cuts if cut < len(ends))})
    parts = [decoder.decode(text[a:b], a, NOWHERE) for a, b in pairwise(bounds)]
    return Decoded(
        frame=pl.concat([part.frame for part in parts]),
        read=sum(part.read for part in parts),
        bad=tuple(sorted((row for part in parts for row in part.bad), key=lambda row: row.position)),
        empty=sum(part.empty for part in parts),
    )


@pytest.mark.data
def test_real_logs_decode_as_a_plain_reading_does(shared_data: Path):
    text = (shared_data / "vpc-flow" / "aws-docs-examples" / "example-01.log").read_bytes()
    columns = sorted(plain_reading(text).rows[0])
    assert decode(text).frame.select(columns).to_dicts() == [
        dict(sorted(row.items())) for row in plain_reading(text).rows
    ]
