"""Conditions are confined to one expression over one row."""

from __future__ import annotations

from contextlib import suppress

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardray.custom.confinement import check
from guardray.custom.sql import ConditionError, connection, expand
from guardray.schema import api_activity, network_activity

API = api_activity.SCHEMA

ALLOWED = (
    "api_operation = 'CreateUser'",
    "request('userName') = 'mallory' AND response('user.arn') IS NOT NULL",
    "list_contains(request_list('items[*].cidrIp'), '0.0.0.0/0')",
    "len(list_filter(request_list('items[*]'), lambda item: json_text(item, 'port') = '22')) > 0",
    "in_network(src_endpoint_ip, '203.0.113.0/24')",
    "hour(time) NOT BETWEEN 7 AND 18",
    "actor_user_name ILIKE '%admin%' OR regexp_matches(actor_user_name, '^(?i)root$')",
    "api_operation = '; DROP TABLE events; --' -- a comment ; SELECT 1",
)

REFUSED = {
    "true); DROP TABLE events --": "not SQL",
    "true; SELECT 1": "not SQL",
    "true) FROM events WHERE (true": "one expression",
    "true) AS a, (false": "one expression",
    "true\n) UNION ALL SELECT (true": "one expression",
    "true LIMIT 1": "not SQL",
    "(SELECT count(*) FROM events) > 1": "SELECT of its own",
    "EXISTS (SELECT 1)": "SELECT of its own",
    "(WITH RECURSIVE t(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM t) SELECT count(*) FROM t) > 1": "SELECT of its own",
    "count(*) > 1": "aggregates",
    "row_number() OVER () > 1": "window functions",
    "COLUMNS(*) = 'x'": "names its columns",
    "api_operation = ?": "no value for a parameter",
    "api_operatio = 'x'": '"api_operatio" not found.*"api_operation"',
    "api_operation": "must be true or false",
    "nonsense(api_operation)": "nonsense does not exist",
    "now() > time": "now cannot be used",
    "current_timestamp > time": "current_timestamp cannot be used",
    "random() > 0.5": "random cannot be used",
    "sleep_ms(100000) IS NULL": "sleep_ms cannot be used",
    "len(range(1000000000)) > 1": "range cannot be used",
    "length(repeat('x', 1000000000)) > 1": "repeat cannot be used",
    "length(format('{:>1000000000}', api_operation)) > 1": "format cannot be used",
    "length(printf('%1000000000d', 1)) > 1": "printf cannot be used",
    "bit_count(bitstring('1', 1000000000)) > 1": "bitstring cannot be used",
    "read_text('/etc/hostname') IS NULL": "table function",
    "replace(replace(replace(api_operation, 'a', 'aa'), 'a', 'aa'), 'a', 'aa') = 'x'": "more than 2 replacements",
    "len(list_filter(x, lambda a: len(list_filter(x, lambda b: len(list_filter(x, lambda c: true)) > 0)) > 0)) > 0": (
        "more than 2 functions over lists"
    ),
    "": "must be true or false",
    "api_operation = 'x' OR " * 3000 + "true": "characters",
}


@pytest.mark.parametrize("condition", ALLOWED)
def test_an_expression_over_the_row_is_allowed(condition):
    check(expand(condition), API)


@pytest.mark.parametrize(("condition", "reason"), REFUSED.items(), ids=lambda text: text[:40])
def test_what_is_more_than_an_expression_over_the_row_is_refused(condition, reason):
    with pytest.raises(ConditionError, match=reason):
        check(expand(condition), API)


def test_an_error_names_the_line_of_the_condition():
    with pytest.raises(ConditionError) as error:
        check("api_operation = 'é'\nAND (api_operation = 'x'\nOR AND true)", API)
    assert error.value.line == 3


def test_a_condition_is_checked_for_the_columns_of_its_log():
    check("dst_endpoint_port = 22 AND in_network(src_endpoint_ip_v4, '10.0.0.0/8')", network_activity.SCHEMA)
    with pytest.raises(ConditionError, match="dst_endpoint_port"):
        check("dst_endpoint_port = 22", API)


def test_tunables_and_helpers_are_written_out_but_not_within_texts_and_comments():
    condition = "request('a') = '$days request(' AND $days > 1 -- request( $days"
    assert expand(condition, {"days": 2}) == (
        "json_text(api_request_data, 'a') = '$days request(' AND 2 > 1 -- request( $days"
    )


def test_an_unknown_tunable_is_named_with_its_line():
    with pytest.raises(ConditionError, match=r"\$hours is not one of the rule's tunables \(days\)") as error:
        expand("true\nAND 1 > $hours", {"days": 2})
    assert error.value.line == 2


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_is_an_allowed_condition_or_refused_with_a_reason(text):
    with suppress(ConditionError):
        check(expand(text), API)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM glob('/*')",
        "COPY (SELECT 1) TO '/tmp/guardray-written.csv'",
        "ATTACH '/tmp/guardray-attached.db'",
        "INSTALL httpfs",
        "SELECT '10.0.0.1'::INET",  # of an extension, which DuckDB would fetch
        "SET memory_limit = '99GB'",
        "SET enable_external_access = true",
    ],
)
def test_the_connection_reaches_neither_files_nor_network_nor_its_settings(statement):
    with pytest.raises(duckdb.Error):
        connection().execute(statement).fetchall()


def value_of(expression: str):
    return connection().execute(f"SELECT {expression}").fetchall()[0][0]


@pytest.mark.parametrize(
    ("address", "network", "inside"),
    [
        ("'10.2.3.4'", "10.0.0.0/8", True),
        ("'11.2.3.4'", "10.0.0.0/8", False),
        ("'203.0.113.9'", "203.0.113.9", True),
        ("'203.0.113.9'", "0.0.0.0/0", True),
        ("167772161::UINTEGER", "10.0.0.0/8", True),
        ("'2001:db8::1'", "0.0.0.0/0", None),
        ("'300.1.1.1'", "0.0.0.0/0", None),
        ("NULL", "10.0.0.0/8", None),
        ("'10.2.3.4'", "nonsense", None),
    ],
)
def test_addresses_are_told_to_be_in_networks(address, network, inside):
    assert value_of(f"in_network({address}, '{network}')") is inside


def test_damaged_json_has_no_values():
    assert value_of("json_text(j, 'a') IS NULL AND json_list(j, 'a[*]') = [] FROM (SELECT '{bad' AS j)")


def test_values_are_found_in_json_by_path():
    row = """FROM (SELECT '{"a": {"b": [{"c": "x"}, {"c": 2}, {"d": [true]}]}}' AS j)"""
    assert value_of(f"json_text(j, 'a.b[0].c') {row}") == "x"
    assert value_of(f"json_list(j, 'a.b[*].c') {row}") == ["x", "2"]
    assert value_of(f"json_text(j, 'a.b[2].d') {row}") == "[true]"
    assert value_of(f"json_text(j, 'a.nothing') {row}") is None
