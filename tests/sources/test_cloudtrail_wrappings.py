"""The shapes in which CloudTrail records come, and records that are not as documented."""

from __future__ import annotations

import json

import pytest
from source_samples import USER, event, json_lines, log_file, read_bytes

EVENTS = [event(eventID=f"e-{n}", eventName=f"List{n}") for n in range(3)]
MESSAGES = [json.dumps(record) for record in EVENTS]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(log_file(*EVENTS), id="as AWS writes it"),
        pytest.param(json.dumps({"Records": EVENTS}, indent=2).encode(), id="pretty-printed"),
        pytest.param(json.dumps({"origin": {"a": 1}, "Records": EVENTS}).encode(), id="another key before Records"),
        pytest.param(json.dumps({"Records": EVENTS, "next": None}).encode(), id="another key after Records"),
        pytest.param(b"\xef\xbb\xbf" + log_file(*EVENTS), id="byte-order mark"),
        pytest.param(b" \r\n\t" + log_file(*EVENTS) + b"\n\n", id="white space around"),
        pytest.param(log_file(EVENTS[0]) + log_file(*EVENTS[1:]), id="files one after another"),
        pytest.param(log_file(EVENTS[0]) + b"\n" + log_file(*EVENTS[1:]) + b"\n", id="one file a line"),
        pytest.param(json_lines(*EVENTS), id="one event a line"),
        pytest.param(json_lines(*EVENTS).replace(b"\n", b"\r\n"), id="Windows line ends"),
        pytest.param(json_lines(*EVENTS).rstrip(), id="last line without an end"),
        pytest.param(json_lines(*EVENTS).replace(b"\n", b"\n\n"), id="blank lines"),
        pytest.param(json_lines(*EVENTS).replace(b"\n", b""), id="events one after another"),
        pytest.param(b"\n".join(json.dumps(e, indent=1).encode() for e in EVENTS), id="pretty-printed events"),
        pytest.param(json.dumps(EVENTS).encode(), id="an array"),
        pytest.param(json.dumps(EVENTS, indent=2).encode(), id="a pretty-printed array"),
        pytest.param(
            "".join(f"2024-05-01T10:31:02.123Z {m}\n" for m in MESSAGES).encode(), id="CloudWatch export to S3"
        ),
        pytest.param(
            json.dumps(
                {"messageType": "DATA_MESSAGE", "logEvents": [{"id": "1", "message": m} for m in MESSAGES]}
            ).encode(),
            id="CloudWatch subscription",
        ),
        pytest.param(json_lines(*({"timestamp": 1, "message": m} for m in MESSAGES)), id="CloudWatch events"),
        pytest.param(json_lines(*({"@timestamp": "1", "@message": e} for e in EVENTS)), id="Logs Insights"),
        pytest.param(
            json_lines(*({"version": "0", "detail-type": "AWS API Call via CloudTrail", "detail": e} for e in EVENTS)),
            id="EventBridge",
        ),
    ],
)
def test_all_events_are_read_whatever_is_around_them(tmp_path, content):
    result = read_bytes(tmp_path, content)
    assert result.aside == []
    assert result.frame["api_operation"].to_list() == ["List0", "List1", "List2"]
    assert result.counts.read == 3


def test_a_single_pretty_printed_event_is_read(tmp_path):
    result = read_bytes(tmp_path, json.dumps(event(), indent=4).encode())
    assert result.frame.height == 1


def test_a_control_message_of_cloudwatch_is_no_record(tmp_path):
    control = {"messageType": "CONTROL_MESSAGE", "logEvents": [{"message": "CWL CONTROL MESSAGE: Checking health"}]}
    result = read_bytes(tmp_path, json_lines(control, {"message": MESSAGES[0]}))
    assert (result.frame.height, result.aside) == (1, [])


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "filler", [b" ", b"]", b"] ", b"{", b'{"', b"\\", b'"', b"[{", b'{"eventVersion":', b",", b"2024-05-01T"]
)
def test_damage_of_any_length_takes_no_more_than_linear_time(tmp_path, filler):
    content = log_file(event(), event())[:-1] + filler * (4_000_000 // len(filler)) + b"x"
    result = read_bytes(tmp_path, content, content.replace(b",", b"\n"))
    assert result.aside


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"userIdentity": None}, {"actor_user_type": None}),
        ({"userIdentity": USER["arn"]}, {"actor_user_uid": USER["arn"]}),
        ({"userIdentity": "alice"}, {"actor_user_name": "alice"}),
        ({"userIdentity": ["?"]}, {"actor_user_name": None}),
        ({"userIdentity": USER | {"accountId": 111122223333}}, {"actor_user_account_uid": "111122223333"}),
        ({"userIdentity": USER | {"sessionContext": "?"}}, {"actor_user_name": "alice", "actor_session_is_mfa": None}),
        ({"eventTime": 1714559400}, {"api_operation": "ListUsers"}),
        ({"eventTime": 1714559400000}, {"api_operation": "ListUsers"}),
        ({"eventTime": "2024-05-01T12:30:00+02:00"}, {"api_operation": "ListUsers"}),
        ({"eventTime": "2024-05-01 10:30:00"}, {"api_operation": "ListUsers"}),
        ({"requestParameters": "text"}, {"api_request_data": '"text"'}),
        ({"errorCode": 403}, {"api_response_error": "403"}),
        ({"readOnly": "true"}, {"is_read_only": True}),
        ({"readOnly": 7}, {"is_read_only": None}),
        ({"sourceIPAddress": ["198.51.100.7"]}, {"src_endpoint_domain": '["198.51.100.7"]'}),
        ({"userAgent": "\ud800"}, {"http_request_user_agent": "?"}),
        ({"userAgent": "\0"}, {"http_request_user_agent": "\0"}),
    ],
)
def test_a_record_with_odd_types_keeps_what_it_can(tmp_path, changes, expected):
    result = read_bytes(tmp_path, log_file(event(), event(**changes), event()))
    assert result.aside == []
    assert result.frame["time"].n_unique() == 1
    found = result.frame.row(1, named=True)
    assert {name: found[name] for name in expected} == expected


DEEP = '{"eventVersion":"1.09","eventTime":"2024-05-01T10:30:00Z","requestParameters":' + "[" * 9000 + "]" * 9000 + "}"


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        (json.dumps(event(without=["eventTime"])), "no eventTime"),
        (json.dumps(event(eventTime="yesterday")), "eventTime 'yesterday' is not a time"),
        (json.dumps(event(eventTime="2024-13-01T10:30:00Z")), "is not a time"),
        (json.dumps(event(eventTime="9024-05-01T10:30:00Z")), "is outside 1970 to 2100"),
        (json.dumps(event(eventTime=1e30)), "is not a time"),
        (json.dumps(event(eventName="")), "no eventName"),
        (json.dumps(event(without=["eventSource"])), "no eventSource"),
        (json.dumps(event(eventSource="aws:s3")), "not a CloudTrail record"),
        ('"text"', "not a JSON object"),
        ("{}", "no eventTime"),
        (DEEP, "JSON nested too deep"),
    ],
)
def test_an_unusable_record_is_set_aside_with_its_place(tmp_path, damaged, reason):
    good = json.dumps(event())
    result = read_bytes(tmp_path, f'{{"Records":[{good},{damaged},{good}]}}'.encode())
    assert result.frame.height == 2
    position = len('{"Records":[') + len(good) + len(",")
    assert [(row.position, row.content) for row in result.aside] == [(position, damaged.encode())]
    assert reason in result.reasons[0]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda line: line[: len(line) // 2], "not JSON"),
        (lambda line: line.replace(b"aws-cli", b"caf\xe9"), "not UTF-8 at byte"),
        (lambda line: line.replace(b'"us-east-1"', b"1e"), "not JSON"),
    ],
)
def test_a_damaged_line_costs_no_other(tmp_path, damage, reason):
    lines = [json.dumps(event(eventID=str(n))).encode() for n in range(5)]
    lines[2] = damage(lines[2])
    result = read_bytes(tmp_path, b"\n".join(lines))
    assert result.frame["metadata_uid"].to_list() == ["0", "1", "3", "4"]
    assert [row.position for row in result.aside] == [len(lines[0]) + len(lines[1]) + 2]
    assert reason in result.reasons[0]


def test_a_damaged_first_line_does_not_hide_the_format(tmp_path):
    result = read_bytes(tmp_path, b'{"eventVersion":"1.0\n' + json_lines(*EVENTS))
    assert result.frame.height == 3
    assert [row.position for row in result.aside] == [0]


def test_records_before_and_after_a_damaged_one_in_a_file_are_read(tmp_path):
    content = log_file(*(event(eventID=str(n)) for n in range(5)))
    damaged = content.replace(b'"eventID":"2"', b'"eventID":2"')
    result = read_bytes(tmp_path, damaged)
    assert result.frame["metadata_uid"].to_list() == ["0", "1", "3", "4"]
    [row] = result.aside
    assert damaged[row.position :].startswith(row.content)
    assert b'"eventID":2"' in row.content


def test_rows_beside_damage_are_the_same_as_without_it(tmp_path):
    records = [event(eventID=str(n), requestParameters={"a": ["ü", 1.0]}, userIdentity=USER) for n in range(3)]
    whole = read_bytes(tmp_path, log_file(*records)).frame
    damaged = read_bytes(tmp_path, log_file(*records, "?")).frame
    assert damaged.equals(whole)


def test_a_truncated_file_gives_its_complete_records(tmp_path):
    content = log_file(*(event(eventID=str(n)) for n in range(3)))
    result = read_bytes(tmp_path, content[:-100])
    assert result.frame["metadata_uid"].to_list() == ["0", "1"]
    assert len(result.aside) == 1


def test_a_file_cut_between_two_records_is_reported(tmp_path):
    content = log_file(event(), event())
    cut = content.index(b',{"eventVersion"')
    result = read_bytes(tmp_path, content[:cut])
    assert result.frame.height == 1
    assert [(row.position, row.reason) for row in result.aside] == [(cut, "the JSON text ends early")]


def test_millions_of_empty_objects_are_refused_without_making_them(tmp_path):
    result = read_bytes(tmp_path, b'{"Records":[' + b"{}," * 3_000_000 + b"{}]}")
    assert result.counts.read == 1
    assert "not a log" in result.reasons[0]
