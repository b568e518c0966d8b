"""Route 53 Resolver query logs: the documentation's example, odd names, wrappings and damage."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.schema.dns_activity import SCHEMA
from guardray.sources.decoder import AHEAD, Decoded, Origin
from guardray.sources.route53 import ResolverQueries

NOWHERE = Origin(url="queries.log")
QUERY: dict[str, Any] = {
    "version": "1.100000",
    "account_id": "111122223333",
    "region": "us-east-1",
    "vpc_id": "vpc-1",
    "query_timestamp": "2021-02-04T17:51:55Z",
    "query_name": "www.example.com.",
    "query_type": "A",
    "query_class": "IN",
    "rcode": "NOERROR",
    "answers": [{"Rdata": "192.0.2.1", "Type": "A", "Class": "IN"}],
    "srcaddr": "10.0.0.5",
    "srcport": "56067",
    "transport": "UDP",
    "srcids": {"instance": "i-1"},
}
TIME = datetime(2021, 2, 4, 17, 51, 55, tzinfo=UTC)


def line(**changes: Any) -> bytes:
    return json.dumps(QUERY | changes, separators=(",", ":")).encode()


def decode(*lines: bytes, origin: Origin = NOWHERE, offset: int = 0) -> Decoded:
    decoded = ResolverQueries().decode(b"\n".join([*lines, b""]), offset, origin)
    assert decoded.frame.schema == SCHEMA.polars
    assert decoded.read == decoded.frame.height + len(decoded.bad) + decoded.passed_over
    return decoded


def only_row(*lines: bytes, origin: Origin = NOWHERE) -> dict[str, Any]:
    (row,) = decode(*lines, origin=origin).frame.to_dicts()
    return row


def test_a_query_fills_every_column():
    assert only_row(line()) == {
        "time": TIME,
        "cloud_account_uid": "111122223333",
        "cloud_region": "us-east-1",
        "vpc_uid": "vpc-1",
        "instance_uid": "i-1",
        "resolver_endpoint_uid": None,
        "src_endpoint_ip": "10.0.0.5",
        "src_endpoint_port": 56067,
        "query_hostname": "www.example.com",
        "query_type": "A",
        "query_class": "IN",
        "rcode": "NOERROR",
        "answers": ["192.0.2.1"],
        "answer_types": ["A"],
        "protocol_name": "UDP",
        "is_blocked": False,
        "is_late": False,
    }


@pytest.mark.data
def test_the_example_of_the_documentation_was_blocked(shared_data):
    row = only_row(*(shared_data / "dns" / "aws-docs-example.log").read_bytes().splitlines())
    assert row["query_hostname"] == "15.3.4.32.in-addr.arpa"
    assert row["answers"] == ["203.0.113.9"]
    assert row["is_blocked"]


@pytest.mark.data
@pytest.mark.parametrize(
    ("log", "queries"), [("cloud-vm-20240419", 1722), ("tunnel-dnscat2-txt", 3975), ("tunnel-iodine-null-short", 222)]
)
def test_every_query_of_a_real_log_is_a_row(shared_data, log, queries):
    text = gzip.decompress((shared_data / "dns" / f"{log}.log.gz").read_bytes())
    decoded = ResolverQueries().decode(text, 0, NOWHERE)
    assert (decoded.read, decoded.frame.height) == (queries, queries)


# Names, times, answers.


@pytest.mark.parametrize(
    ("name", "hostname"),
    [
        ("WWW.Example.COM.", "www.example.com"),
        ("example.com", "example.com"),
        (".", ""),
        ("", ""),
        (r"\052.example.com.", r"\052.example.com"),
        ("a\u0000b.example.", "a\u0000b.example"),
        ("BÜCHER.example.", "bücher.example"),
        ("\U0001f600.example.", "\U0001f600.example"),
    ],
)
def test_a_name_is_in_lower_case_without_its_last_dot(name, hostname):
    assert only_row(line(query_name=name))["query_hostname"] == hostname
    assert only_row(json.dumps(QUERY | {"query_name": name}, ensure_ascii=False).encode())["query_hostname"] == hostname


@pytest.mark.parametrize(
    ("timestamp", "time"),
    [
        ("2021-02-04T17:51:55.5Z", TIME + timedelta(milliseconds=500)),
        ("2021-02-04T17:51:55.123456789Z", TIME + timedelta(microseconds=123456)),
        ("2021-02-04T19:51:55+02:00", TIME),
        ("2021-02-04T17:51:55", TIME),
    ],
)
def test_a_time_may_have_a_fraction_and_an_offset(timestamp, time):
    assert only_row(line(query_timestamp=timestamp))["time"] == time


def test_a_query_without_answers_has_an_empty_list_and_one_that_does_not_tell_has_null():
    without, untold = decode(line(answers=[]), line(answers=None)).frame["answers"].to_list()
    assert (without, untold) == ([], None)


def test_answers_keep_their_order():
    answers = [{"Rdata": "b.example.", "Type": "CNAME", "Class": "IN"}, {"Rdata": "192.0.2.1", "Type": "A"}]
    row = only_row(line(answers=answers))
    assert row["answers"] == ["b.example.", "192.0.2.1"]
    assert row["answer_types"] == ["CNAME", "A"]


@pytest.mark.parametrize("source", ["resolver_endpoint", "resolver_network_interface"])
def test_a_query_through_an_endpoint_names_it(source):
    row = only_row(line(srcids={source: "rslvr-in-1"}))
    assert (row["instance_uid"], row["resolver_endpoint_uid"]) == (None, "rslvr-in-1")


@pytest.mark.parametrize(("action", "is_blocked"), [("BLOCK", True), ("ALERT", False), ("ALLOW", False)])
def test_only_the_firewalls_block_blocks(action, is_blocked):
    assert only_row(line(firewall_rule_action=action))["is_blocked"] is is_blocked


def test_fields_of_later_versions_are_ignored():
    assert only_row(line(version="1.7", novelty={"a": [1, {"b": None}]}))["time"] == TIME


def test_what_the_name_of_the_object_tells_fills_what_a_query_lacks():
    origin = Origin(url="q", account_id="210987654321", region="eu-west-1")
    row = only_row(line(account_id=None, region=None), origin=origin)
    assert (row["cloud_account_uid"], row["cloud_region"]) == ("210987654321", "eu-west-1")


def test_queries_earlier_than_the_lateness_bound_are_late():
    origin = Origin(url="q", key_time=TIME + timedelta(hours=1), lateness=timedelta(hours=1))
    frame = decode(line(), line(query_timestamp="2021-02-04T17:51:54Z"), origin=origin).frame
    assert frame["is_late"].to_list() == [False, True]


def test_queries_dated_days_after_their_object_are_late():
    origin = Origin(url="q", key_time=TIME - AHEAD)
    frame = decode(line(), line(query_timestamp="2021-02-04T17:52:59Z"), origin=origin).frame
    assert frame["is_late"].to_list() == [False, True]


def test_queries_dated_days_after_their_undated_object_was_written_are_late_and_old_ones_are_not():
    origin = Origin(url="q", written=TIME - AHEAD)
    found = decode(
        line(),
        line(query_timestamp="2021-02-04T17:52:59Z"),
        line(query_timestamp="2015-02-04T00:00:00Z"),
        origin=origin,
    )
    assert found.frame["is_late"].to_list() == [False, True, False]


# Wrappings.


@pytest.mark.parametrize(
    "wrapped",
    [
        b"2021-02-04T17:52:01.123Z " + line(),
        json.dumps({"message": line().decode()}).encode(),
        json.dumps({"@timestamp": "2021-02-04", "@message": line().decode()}).encode(),
        json.dumps({"messageType": "DATA_MESSAGE", "logEvents": [{"id": "1", "message": line().decode()}]}).encode(),
    ],
)
def test_a_query_may_be_wrapped_as_cloudwatch_does(wrapped):
    assert decode(wrapped, wrapped).frame.equals(decode(line(), line()).frame)


def test_wrapped_and_bare_queries_may_stand_in_one_log():
    assert decode(line(), json.dumps({"message": line().decode()}).encode()).frame.height == 2


def test_a_message_that_tests_a_subscription_is_passed_over():
    test = {"messageType": "CONTROL_MESSAGE", "logEvents": [{"message": "CWL CONTROL MESSAGE: Checking health"}]}
    decoded = decode(json.dumps(test).encode(), line())
    assert (decoded.passed_over, decoded.frame.height) == (1, 1)


# Damage.


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        (line()[:-5], "cannot be read"),
        (line() + b"x", "cannot be read"),
        (line() + line(), "is not one JSON object"),
        (b"[]", "is not one JSON object"),
        (b"null", "is not one JSON object"),
        (line() + b" null", "is not one JSON object"),
        (b"\xff\xfe", "is not one JSON object"),
        (line().replace(b"example", b"ex\xffmple"), "cannot be read: 'utf-8' codec"),
        (line().replace(b"www", b"\\ud800"), "surrogate"),
        (line(query_name=5), "query_name"),
        (line(srcids=[]), "srcids"),
        (line(answers=["192.0.2.1"]), "answers"),
        (line(query_timestamp="2017-03-16T19:20:177Z"), "couldn't parse"),
        (line(query_timestamp=None), "has no query_timestamp"),
        (line(query_timestamp="2150-01-01T00:00:00Z"), "has an impossible query_timestamp"),
        (line(query_name=None), "has no query_name"),
        (line(srcport="70000"), "has an impossible srcport"),
        (json.dumps({"message": "no query"}).encode(), "is not one JSON object"),
        (b'{"query_name":"a"}', "has no query_timestamp"),
    ],
)
def test_a_damaged_line_is_a_bad_row_and_the_rest_goes_on(damaged, reason):
    decoded = decode(line(), damaged, line(), offset=1000)
    (bad,) = decoded.bad
    assert bad.position == 1000 + len(line()) + 1
    assert reason in bad.reason
    assert decoded.frame.height == 2


def test_blank_lines_are_no_records():
    assert decode(b"", line(), b"  ", b"\r", line() + b"\r").read == 2


def test_the_last_line_may_lack_its_end():
    assert ResolverQueries().decode(line() + b"\n" + line(), 0, NOWHERE).frame.height == 2


def test_nesting_beyond_all_bounds_does_no_harm():
    deep = line()[:-1] + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert decode(deep, line()).frame.height >= 1


QUERIES = st.builds(
    line,
    query_name=st.text(max_size=20),
    srcport=st.integers(0, 65535).map(str),
    rcode=st.sampled_from(["NOERROR", "NXDOMAIN", None]),
    answers=st.lists(st.builds(lambda rdata: {"Rdata": rdata, "Type": "TXT"}, st.text(max_size=9)), max_size=3),
)
DAMAGED = st.one_of(
    st.binary(min_size=1, max_size=30).filter(lambda junk: b"\n" not in junk and junk.strip()),
    st.builds(lambda query, end: query[:end], QUERIES, st.integers(1, 150)),
)


@given(st.lists(st.tuples(st.one_of(QUERIES, QUERIES, DAMAGED), st.sampled_from([b"", b"\r", b" "])), max_size=12))
def test_lines_decode_together_as_each_does_alone(lines):
    together = decode(*(line + blank for line, blank in lines))
    alone = [decode(line) for line, _ in lines]
    assert together.frame.to_dicts() == [row for decoded in alone for row in decoded.frame.to_dicts()]
    starts = [sum(len(line) + len(blank) + 1 for line, blank in lines[:i]) for i in range(len(lines))]
    expected = [(start, row.content) for start, decoded in zip(starts, alone, strict=True) for row in decoded.bad]
    assert sorted((row.position, row.content) for row in together.bad) == sorted(expected)
