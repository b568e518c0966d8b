"""Parquet files: OCSF events of both versions of Security Lake's sources, and flow logs."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.errors import SourceError
from guardray.schema import EventSchema, api_activity, dns_activity, network_activity
from guardray.sources.cloudtrail import CloudTrailDecoder, Framing
from guardray.sources.decoder import Decoded, Origin
from guardray.sources.security_lake import decode_parquet
from guardray.sources.vpc_flow import VpcFlowText

NOWHERE = Origin(url="lake.parquet")
TIME = datetime(2025, 7, 11, 15, 26, 24, tzinfo=UTC)
MS = 1752247584000
TEXT_MAP = pa.map_(pa.string(), pa.string())


def parquet(rows: list[dict[str, Any]], types: dict[str, pa.DataType] | None = None) -> io.BytesIO:
    """A file of these rows. `unmapped` becomes a map, as Security Lake has it; `types` are of further columns."""
    types = {"unmapped": TEXT_MAP} | (types or {})
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {
        name: pa.array([_items(row.get(name), types.get(name)) for row in rows], types.get(name)) for name in names
    }
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    file.seek(0)
    return file


def _items(value: Any, type_: pa.DataType | None) -> Any:
    return list(value.items()) if type_ == TEXT_MAP and value is not None else value


def decode(file: io.BytesIO, origin: Origin = NOWHERE) -> list[tuple[EventSchema, Decoded]]:
    parts = list(decode_parquet(file, origin))
    for schema, decoded in parts:
        assert decoded.frame.schema == schema.polars
        assert decoded.read == decoded.frame.height + len(decoded.bad) + decoded.empty + decoded.passed_over
    return parts


def only_part(file: io.BytesIO, origin: Origin = NOWHERE) -> tuple[EventSchema, Decoded]:
    (part,) = decode(file, origin)
    return part


def known(frame: pl.DataFrame) -> dict[str, Any]:
    """What is not null of the only row."""
    (row,) = frame.to_dicts()
    return {name: value for name, value in row.items() if value is not None}


# CloudTrail.

API_1_1 = {
    "class_uid": 6003,
    "time": MS,
    "time_dt": TIME,
    "metadata": {
        "uid": "event-1",
        "event_code": "AwsApiCall",
        "version": "1.1.0",
        "product": {"name": "CloudTrail", "feature": {"name": "Data"}},
    },
    "cloud": {"region": "us-east-1", "account": {"uid": "111122223333"}},
    "api": {
        "operation": "GetObject",
        "service": {"name": "s3.amazonaws.com"},
        "request": {"uid": "request-1", "data": '{"bucketName":"b","key":"a/b"}'},
        "response": {"error": "AccessDenied", "message": "no", "data": None},
    },
    "actor": {
        "invoked_by": None,
        "user": {
            "type": "AssumedRole",
            "name": "role",
            "uid": "arn:aws:sts::111122223333:assumed-role/role/s",
            "uid_alt": "AROA:s",
            "credential_uid": "ASIA1",
            "account": {"uid": "444455556666"},
        },
        "session": {"issuer": "arn:aws:iam::111122223333:role/role", "is_mfa": False},
    },
    "src_endpoint": {"ip": "198.51.100.7", "domain": None, "uid": "vpce-1"},
    "http_request": {"user_agent": "aws-cli"},
    "unmapped": {"readOnly": "true", "userIdentity.sessionContext.ec2RoleDelivery": "2.0"},
}
API_RC_2 = {
    "class_uid": 3005,
    "time": MS,
    "metadata": {
        "uid": "event-1",
        "version": "1.0.0-rc.2",
        "product": {"name": "CloudTrail", "feature": {"name": "Management, Data, and Insights"}},
    },
    "cloud": {"region": "us-east-1"},
    "api": {
        "operation": "GetObject",
        "service": {"name": "s3.amazonaws.com"},
        "request": {"uid": "request-1"},
        "response": {"error": "AccessDenied", "message": "no"},
    },
    "actor": {
        "invoked_by": None,
        "user": {
            "type": "AssumedRole",
            "name": "role",
            "uid": "AROA:s",
            "uuid": "arn:aws:sts::111122223333:assumed-role/role/s",
            "credential_uid": "ASIA1",
            "account_uid": "444455556666",
        },
        "session": {"issuer": "arn:aws:iam::111122223333:role/role", "mfa": False},
    },
    "src_endpoint": {"ip": "198.51.100.7", "domain": None, "uid": "vpce-1"},
    "http_request": {"user_agent": "aws-cli"},
    "unmapped": {
        "eventType": "AwsApiCall",
        "recipientAccountId": "111122223333",
        "readOnly": "true",
        "requestParameters": '{"bucketName":"b","key":"a/b"}',
        "userIdentity.sessionContext.ec2RoleDelivery": "2.0",
    },
}
API_ROW = {
    "time": TIME,
    "metadata_uid": "event-1",
    "event_category": "Data",
    "event_type": "AwsApiCall",
    "cloud_account_uid": "111122223333",
    "cloud_region": "us-east-1",
    "api_operation": "GetObject",
    "api_service_name": "s3.amazonaws.com",
    "api_response_error": "AccessDenied",
    "api_response_message": "no",
    "api_request_uid": "request-1",
    "api_request_data": '{"bucketName":"b","key":"a/b"}',
    "is_read_only": True,
    "actor_user_type": "AssumedRole",
    "actor_user_name": "role",
    "actor_user_uid": "arn:aws:sts::111122223333:assumed-role/role/s",
    "actor_user_uid_alt": "AROA:s",
    "actor_user_account_uid": "444455556666",
    "actor_user_credential_uid": "ASIA1",
    "actor_session_issuer": "arn:aws:iam::111122223333:role/role",
    "actor_session_is_mfa": False,
    "actor_session_ec2_role_delivery": "2.0",
    "src_endpoint_ip": "198.51.100.7",
    "src_endpoint_vpc_endpoint_uid": "vpce-1",
    "http_request_user_agent": "aws-cli",
    "bucket_name": "b",
    "object_key": "a/b",
    "is_late": False,
}


@pytest.mark.parametrize("event", [API_1_1, API_RC_2], ids=["1.1.0", "1.0.0-rc.2"])
def test_an_api_call_is_the_same_row_in_both_versions(event):
    schema, decoded = only_part(parquet([event]))
    assert schema is api_activity.SCHEMA
    assert known(decoded.frame.drop("event_hash")) == API_ROW


def test_an_event_has_the_hash_that_it_has_in_cloudtrails_own_file():
    record = {
        "eventVersion": "1.08",
        "eventID": "event-1",
        "eventTime": "2025-07-11T15:26:24Z",
        "eventName": "GetObject",
        "eventSource": "s3.amazonaws.com",
        "eventCategory": "Data",
        "awsRegion": "us-east-1",
        "recipientAccountId": "111122223333",
    }
    trail = CloudTrailDecoder()
    trail.add(json.dumps(record).encode(), 0, Framing.LINES, NOWHERE)
    _, decoded = only_part(parquet([API_1_1]))
    assert decoded.frame["event_hash"].to_list() == trail.take().frame["event_hash"].to_list()


@pytest.mark.parametrize("class_uid", [3001, 3002])
def test_changes_of_accounts_and_log_ins_are_api_calls_too(class_uid):
    assert only_part(parquet([API_1_1 | {"class_uid": class_uid}]))[0] is api_activity.SCHEMA


def test_a_management_event_of_the_old_version_is_told_by_its_operation():
    api = API_RC_2["api"] | {"operation": "GetBucketAcl"}
    _, decoded = only_part(parquet([API_RC_2 | {"api": api}]))
    assert decoded.frame["event_category"].to_list() == ["Management"]


@pytest.mark.parametrize(
    "product",
    [{"name": "Amazon EKS", "feature": {"name": "Audit"}}, {"name": "CloudTrail", "feature": {"name": "Insight"}}],
)
def test_what_is_no_cloudtrail_event_of_use_is_passed_over(product):
    other = API_1_1 | {"metadata": API_1_1["metadata"] | {"product": product}}
    parts = decode(parquet([other, API_1_1]))
    assert sum(decoded.passed_over for _, decoded in parts) == 1
    assert sum(decoded.frame.height for _, decoded in parts) == 1


def test_a_call_without_an_operation_is_a_bad_row():
    api = API_1_1["api"] | {"operation": None}
    _, decoded = only_part(parquet([API_1_1, API_1_1 | {"api": api}]))
    (bad,) = decoded.bad
    assert (bad.position, bad.reason) == (1, "has no api.operation")
    assert json.loads(bad.content)["metadata"]["uid"] == "event-1"


# Flow records.

FLOW_1_1 = {
    "class_uid": 4001,
    "time": MS,
    "end_time_dt": TIME + timedelta(minutes=1),
    "status_code": "OK",
    "action": "Denied",
    "action_id": 2,
    "disposition": "Blocked",
    "cloud": {"region": "us-east-1", "zone": "use1-az1", "account": {"uid": "111122223333"}},
    "connection_info": {"direction_id": 2, "protocol_num": 6, "tcp_flags": 2},
    "src_endpoint": {
        "ip": "10.0.0.5",
        "intermediate_ips": None,
        "port": 49761,
        "interface_uid": "eni-1",
        "instance_uid": "-",
        "vpc_uid": "vpc-1",
        "subnet_uid": "subnet-1",
    },
    "dst_endpoint": {"ip": "198.51.100.7", "intermediate_ips": ["10.0.0.1"], "port": 443, "interface_uid": None},
    "traffic": {"packets": 20, "bytes": 4249},
}
FLOW_RC_2 = {name: value for name, value in FLOW_1_1.items() if not name.startswith(("action", "end_time"))} | {
    "end_time": MS + 60_000,
    "disposition_id": 2,
    "cloud": {"region": "us-east-1", "account_uid": "111122223333"},
}


@pytest.mark.parametrize("event", [FLOW_1_1, FLOW_RC_2], ids=["1.1.0", "1.0.0-rc.2"])
def test_a_flow_record_is_the_same_row_in_both_versions(event):
    schema, decoded = only_part(parquet([event]))
    assert schema is network_activity.SCHEMA
    assert known(decoded.frame) == {
        "time": TIME,
        "end_time": TIME + timedelta(minutes=1),
        "cloud_account_uid": "111122223333",
        "cloud_region": "us-east-1",
        "interface_uid": "eni-1",
        "vpc_uid": "vpc-1",
        "subnet_uid": "subnet-1",
        "src_endpoint_ip_v4": int(IPv4Address("10.0.0.5")),
        "dst_endpoint_ip_v4": int(IPv4Address("10.0.0.1")),
        "src_endpoint_port": 49761,
        "dst_endpoint_port": 443,
        "protocol_num": 6,
        "tcp_flags": 2,
        "traffic_packets": 20,
        "traffic_bytes": 4249,
        "is_rejected": True,
        "is_egress": True,
        "is_late": False,
    }


def test_records_without_traffic_are_counted_as_empty():
    _, decoded = only_part(parquet([FLOW_1_1 | {"status_code": "NODATA"}, FLOW_1_1]))
    assert (decoded.empty, decoded.frame.height) == (1, 1)


def test_an_ipv6_end_is_text():
    _, decoded = only_part(parquet([FLOW_1_1 | {"src_endpoint": FLOW_1_1["src_endpoint"] | {"ip": "2001:db8::1"}}]))
    row = known(decoded.frame)
    assert row["src_endpoint_ip"] == "2001:db8::1"
    assert "src_endpoint_ip_v4" not in row


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"src_endpoint": FLOW_1_1["src_endpoint"] | {"port": 70000}}, "src_endpoint_port is no number up to 65535"),
        ({"src_endpoint": FLOW_1_1["src_endpoint"] | {"ip": "nowhere"}}, "src_endpoint.ip is no address"),
        ({"time": None}, "has no time"),
        ({"time": 4_102_444_800_000}, "has no time"),
    ],
)
def test_an_impossible_flow_record_is_a_bad_row(changes, reason):
    _, decoded = only_part(parquet([FLOW_1_1, FLOW_1_1 | changes, FLOW_1_1]))
    (bad,) = decoded.bad
    assert (bad.position, bad.reason) == (1, reason)
    assert decoded.frame.height == 2


# Queries.

DNS_1_1 = {
    "class_uid": 4003,
    "time": MS,
    "action_id": 2,
    "disposition": "Blocked",
    "cloud": {"region": "us-east-1", "account": {"uid": "111122223333"}},
    "connection_info": {"protocol_name": "UDP"},
    "query": {"hostname": "WWW.Example.com.", "type": "A", "class": "IN"},
    "rcode": "NXDomain",
    "rcode_id": 3,
    "answers": [{"rdata": "192.0.2.1", "type": "A", "class": "IN"}],
    "src_endpoint": {"ip": "10.0.0.5", "port": 56067, "vpc_uid": "vpc-1", "instance_uid": "i-1"},
    "dst_endpoint": {"instance_uid": None, "interface_uid": "rni-1"},
}
DNS_RC_2 = {name: value for name, value in DNS_1_1.items() if name not in ("action_id", "disposition", "rcode_id")} | {
    "rcode": "NXDOMAIN",
    "cloud": {"region": "us-east-1", "account_uid": "111122223333"},
    "unmapped": {"firewall_rule_action": "BLOCK"},
}


@pytest.mark.parametrize("event", [DNS_1_1, DNS_RC_2], ids=["1.1.0", "1.0.0-rc.2"])
def test_a_query_is_the_same_row_in_both_versions(event):
    schema, decoded = only_part(parquet([event]))
    assert schema is dns_activity.SCHEMA
    assert known(decoded.frame) == {
        "time": TIME,
        "cloud_account_uid": "111122223333",
        "cloud_region": "us-east-1",
        "vpc_uid": "vpc-1",
        "instance_uid": "i-1",
        "resolver_endpoint_uid": "rni-1",
        "src_endpoint_ip": "10.0.0.5",
        "src_endpoint_port": 56067,
        "query_hostname": "www.example.com",
        "query_type": "A",
        "query_class": "IN",
        "rcode": "NXDOMAIN",
        "answers": ["192.0.2.1"],
        "answer_types": ["A"],
        "protocol_name": "UDP",
        "is_blocked": True,
        "is_late": False,
    }


# Files.


def test_events_of_several_classes_may_stand_in_one_file():
    parts = decode(parquet([FLOW_1_1, {"class_uid": 2004}, DNS_1_1, FLOW_1_1]))
    assert {schema.name: decoded.frame.height for schema, decoded in parts if decoded.frame.height} == {
        "network_activity": 2,
        "dns_activity": 1,
    }
    assert sum(decoded.passed_over for _, decoded in parts) == 1


def test_events_of_which_a_file_tells_nothing_are_bad_rows():
    parts = decode(parquet([{"class_uid": 4003}, {"class_uid": 4001}]))
    assert [(decoded.frame.height, len(decoded.bad)) for _, decoded in parts] == [(0, 1), (0, 1)]


@pytest.mark.parametrize(
    "told",
    [
        {"additionalEventData": '{"bytesTransferredIn":12,"bytesTransferredOut":"x"}'},
        {"additionalEventData.bytesTransferredIn": "12", "additionalEventData.bytesTransferredOut": "-5"},
    ],
)
def test_how_much_was_moved_is_read_whole_or_flattened(told):
    _, decoded = only_part(parquet([API_1_1 | {"unmapped": told}]))
    assert decoded.frame["additional_bytes_in"].to_list() == [12]
    assert decoded.frame["additional_bytes_out"].to_list() == [None]


def test_a_request_that_is_no_json_names_no_bucket():
    api = API_1_1["api"] | {"request": {"uid": "request-1", "data": "no json {"}}
    _, decoded = only_part(parquet([API_1_1 | {"api": api}]))
    assert decoded.frame["bucket_name"].to_list() == [None]


def test_a_time_may_be_a_timestamp():
    _, decoded = only_part(parquet([FLOW_1_1 | {"time": TIME}], {"time": pa.timestamp("ms")}))
    assert decoded.frame["time"].to_list() == [TIME]


def test_what_the_name_of_the_object_tells_fills_what_events_lack():
    origin = Origin(url="l", account_id="210987654321", region="eu-west-1", key_time=TIME + timedelta(days=1))
    _, decoded = only_part(parquet([{"class_uid": 4001, "time": MS}]), origin)
    assert known(decoded.frame) == {
        "time": TIME,
        "end_time": TIME,
        "cloud_account_uid": "210987654321",
        "cloud_region": "eu-west-1",
        "is_late": True,
    }


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"traffic": {"packets": "many"}}, "traffic.packets is string, not a whole number"),
        ({"cloud": {"region": 5}}, "cloud.region is int64, not text"),
        ({"cloud": "us-east-1"}, "cloud is string, not a struct"),
        ({"time": "2025"}, "time is string, not a time"),
        (
            {"dst_endpoint": {"intermediate_ips": "10.0.0.1"}},
            "dst_endpoint.intermediate_ips is string, not a list of text",
        ),
    ],
)
def test_a_column_of_another_type_is_named_with_the_file(changes, reason):
    with pytest.raises(SourceError, match=reason) as error:
        decode(parquet([FLOW_1_1 | changes]))
    assert error.value.url == "lake.parquet"


def test_columns_of_classes_that_are_passed_over_may_be_of_any_type():
    parts = decode(parquet([{"class_uid": 2004, "time": "2025", "cloud": 5}]))
    assert [decoded.passed_over for _, decoded in parts] == [1]


@pytest.mark.parametrize("damage", [slice(0, -20), slice(200, None), slice(0, 4)])
def test_a_damaged_file_is_set_aside(damage):
    content = parquet([FLOW_1_1] * 50).getvalue()
    with pytest.raises(SourceError, match="damaged Parquet"):
        decode(io.BytesIO(content[damage]))


def test_damage_inside_a_file_is_told_where_the_file_has_checksums():
    file = io.BytesIO()
    pq.write_table(
        pa.Table.from_pylist([FLOW_1_1 | {"time": MS + i} for i in range(500)]), file, write_page_checksum=True
    )
    content = bytearray(file.getvalue())
    content[300] ^= 1
    with pytest.raises(SourceError, match="damaged Parquet after row 0"):
        decode(io.BytesIO(bytes(content)))


def test_a_file_of_something_else_is_set_aside():
    with pytest.raises(SourceError, match="neither OCSF events nor flow logs: a Parquet file of a, b"):
        decode(parquet([{"a": 1, "b": 2}]))


# Flow logs in Parquet.

FLOW_RECORD = {
    "version": 5,
    "account_id": "111122223333",
    "interface_id": "eni-1",
    "srcaddr": "10.0.0.5",
    "dstaddr": "198.51.100.7",
    "srcport": 49761,
    "dstport": 443,
    "protocol": 6,
    "packets": 20,
    "bytes": 4249,
    "start": 1752247584,
    "end": 1752247644,
    "action": "REJECT",
    "log_status": "OK",
    "instance_id": "-",
    "tcp_flags": 2,
    "az_id": "use1-az1",
    "flow_direction": "egress",
}


def as_text(rows: list[dict[str, Any]]) -> bytes:
    header = " ".join(name.replace("_", "-") for name in rows[0])
    records = (" ".join("-" if value is None else str(value) for value in row.values()) for row in rows)
    return "\n".join([header, *records]).encode()


def test_a_flow_log_in_parquet_is_the_rows_that_it_is_as_text():
    rows = [FLOW_RECORD, FLOW_RECORD | {"srcaddr": "2001:db8::1", "action": "ACCEPT", "tcp_flags": None}]
    schema, decoded = only_part(parquet(rows))
    assert schema is network_activity.SCHEMA
    assert decoded.frame.equals(VpcFlowText().decode(as_text(rows), 0, NOWHERE).frame)


VALUES = {
    "srcaddr": st.one_of(st.ip_addresses().map(str), st.sampled_from(["-", "1.2.3", "01.2.3.4", ""])),
    "srcport": st.one_of(st.none(), st.integers(0, 66_000)),
    "bytes": st.integers(0, 10**18),
    "start": st.one_of(st.none(), st.integers(0, 4_200_000_000)),
    "end": st.one_of(st.none(), st.integers(0, 4_102_444_799)),
    "action": st.sampled_from(["ACCEPT", "REJECT", "-", "DROP"]),
    "account_id": st.sampled_from(["111122223333", "unknown", "-", "12"]),
    "log_status": st.sampled_from(["OK", "OK", "NODATA"]),
}


@given(st.lists(st.fixed_dictionaries(VALUES).map(lambda values: FLOW_RECORD | values), min_size=1, max_size=10))
def test_parquet_and_text_agree_on_rows_and_on_bad_rows(rows):
    _, decoded = only_part(parquet(rows, dict.fromkeys(("srcport", "start", "end"), pa.int64())))
    text = VpcFlowText().decode(as_text(rows), 0, NOWHERE)
    assert decoded.frame.to_dicts() == text.frame.to_dicts()
    assert (len(decoded.bad), decoded.empty) == (len(text.bad), text.empty)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"srcport": "443"}, "srcport is string, not a whole number"),
        ({"srcaddr": 5}, "srcaddr is int64, not text"),
    ],
)
def test_a_column_of_a_flow_log_of_another_type_is_named(changes, reason):
    with pytest.raises(SourceError, match=reason):
        decode(parquet([FLOW_RECORD | changes]))


def test_a_flow_log_of_addresses_alone_has_the_time_of_its_object():
    rows = [{"srcaddr": "10.0.0.5", "dstaddr": "x"}, {"srcaddr": "10.0.0.5", "dstaddr": "::1"}]
    _, decoded = only_part(parquet(rows), Origin(url="l", key_time=TIME))
    assert decoded.frame["time"].to_list() == [TIME]
    assert [(bad.position, bad.content) for bad in decoded.bad] == [(0, b'{"srcaddr":"10.0.0.5","dstaddr":"x"}')]


def test_a_flow_log_without_addresses_is_set_aside():
    with pytest.raises(SourceError, match="has no srcaddr, dstaddr"):
        decode(parquet([{"interface_id": "eni-1", "start": 1, "end": 2}]))
