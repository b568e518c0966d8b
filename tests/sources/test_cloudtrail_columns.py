"""How the fields of a CloudTrail record become columns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from source_samples import ACCOUNT, ROLE, USER, event, json_lines, log_file, read, read_bytes

from guardray.sources.objects import InputObject
from guardray.sources.reader import Limits, Reader


def row(tmp_path, **changes):
    result = read_bytes(tmp_path, log_file(event(**changes)))
    assert not result.aside
    return result.frame.row(0, named=True)


def test_a_management_event_fills_its_columns(tmp_path):
    found = row(tmp_path, errorCode="AccessDenied", errorMessage="no", vpcEndpointId="vpce-1", vpcEndpointAccountId="4")
    expected = {
        "time": datetime(2024, 5, 1, 10, 30, tzinfo=UTC),
        "metadata_uid": "e-1",
        "event_category": "Management",
        "event_type": "AwsApiCall",
        "cloud_account_uid": ACCOUNT,
        "cloud_region": "us-east-1",
        "api_operation": "ListUsers",
        "api_service_name": "iam.amazonaws.com",
        "api_response_error": "AccessDenied",
        "api_response_message": "no",
        "api_request_uid": "r-1",
        "api_request_data": None,
        "api_response_data": None,
        "additional_data": None,
        "is_read_only": True,
        "actor_user_type": "IAMUser",
        "actor_user_name": "alice",
        "actor_user_uid": USER["arn"],
        "actor_user_uid_alt": "AIDAEXAMPLE",
        "actor_user_account_uid": ACCOUNT,
        "actor_user_credential_uid": "AKIAEXAMPLE",
        "src_endpoint_ip": "198.51.100.7",
        "src_endpoint_domain": None,
        "src_endpoint_vpc_endpoint_uid": "vpce-1",
        "src_endpoint_vpc_endpoint_account_uid": "4",
        "http_request_user_agent": "aws-cli/2.15",
        "is_late": False,
    }
    assert {name: found[name] for name in expected} == expected


def test_a_role_session_is_named_after_its_role(tmp_path):
    session = ROLE["sessionContext"] | {"ec2RoleDelivery": "2.0", "assumedRoot": "true"}
    found = row(tmp_path, userIdentity=ROLE | {"sessionContext": session, "invokedBy": "ssm.amazonaws.com"})
    assert found["actor_user_name"] == "deployer"
    assert found["actor_session_issuer"] == f"arn:aws:iam::{ACCOUNT}:role/deployer"
    assert found["actor_session_issuer_uid"] == "AROAEXAMPLE"
    assert found["actor_session_is_mfa"] is False
    assert found["actor_session_assumed_root"] is True
    assert found["actor_session_ec2_role_delivery"] == "2.0"
    assert found["actor_invoked_by"] == "ssm.amazonaws.com"


def test_the_resource_that_credentials_were_issued_to_is_told(tmp_path):
    function = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:ingest"
    scope = {"issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": function}
    found = row(tmp_path, userIdentity=ROLE | {"inScopeOf": scope})
    assert (found["actor_scope_issuer_type"], found["actor_scope_issued_to"]) == tuple(scope.values())


def test_each_row_keeps_its_own_caller_when_callers_alternate(tmp_path):
    callers = [USER, ROLE, None, USER]
    result = read_bytes(tmp_path, log_file(*(event(userIdentity=caller) for caller in callers)))
    assert result.frame["actor_user_name"].to_list() == ["alice", "deployer", None, "alice"]


def test_json_columns_keep_the_text_of_the_record(tmp_path):
    result = read_bytes(
        tmp_path,
        json_lines(
            event(requestParameters={"a": [1, {"b": "é\n"}]}, responseElements="text"),
            event(requestParameters={}, additionalEventData={"LoginTo": "x"}),
        ),
    )
    assert result.frame["api_request_data"].to_list() == ['{"a": [1, {"b": "\\u00e9\\n"}]}', "{}"]
    assert result.frame["api_response_data"].to_list() == ['"text"', None]
    assert result.frame["additional_data"].to_list() == [None, '{"LoginTo": "x"}']


def test_json_columns_are_of_one_line_when_the_file_is_pretty_printed(tmp_path):
    pretty = log_file(event(requestParameters={"a": {"b": "c"}})).replace(b'{"b"', b'{\n  "b"')
    assert read_bytes(tmp_path, pretty).frame["api_request_data"].to_list() == ['{"a":{   "b":"c"}}']


@pytest.mark.parametrize(
    ("address", "ip", "domain"),
    [
        ("198.51.100.7", "198.51.100.7", None),
        ("2001:db8::7", "2001:db8::7", None),
        ("08.1.250.216", "08.1.250.216", None),
        ("cloudtrail.amazonaws.com", None, "cloudtrail.amazonaws.com"),
        ("AWS Internal", None, "AWS Internal"),
        (None, None, None),
    ],
)
def test_the_source_is_an_address_or_a_name(tmp_path, address, ip, domain):
    found = row(tmp_path, sourceIPAddress=address)
    assert (found["src_endpoint_ip"], found["src_endpoint_domain"]) == (ip, domain)


def test_bucket_and_key_are_read_from_calls_of_s3_only(tmp_path):
    parameters = {"bucketName": "b", "key": "k/1"}
    result = read_bytes(
        tmp_path,
        log_file(
            event(eventSource="s3.amazonaws.com", requestParameters=parameters),
            event(eventSource="s3.amazonaws.com", requestParameters=None),
            event(eventSource="iam.amazonaws.com", requestParameters=parameters),
        ),
    )
    assert result.frame["bucket_name"].to_list() == ["b", None, None]
    assert result.frame["object_key"].to_list() == ["k/1", None, None]


def moved(received: object, sent: object, **beside: object) -> dict:
    amounts = {"SignatureVersion": "SigV4", "bytesTransferredIn": received, "bytesTransferredOut": sent}
    return event(eventSource="s3.amazonaws.com", additionalEventData=amounts | beside)


def test_how_much_was_moved_is_read_from_calls_of_s3_only(tmp_path):
    elsewhere = moved(5, 6) | {"eventSource": "iam.amazonaws.com"}
    result = read_bytes(tmp_path, log_file(moved(0, 339_117), moved(10**14, 7), elsewhere, event()))
    assert result.frame["additional_bytes_in"].to_list() == [0, 10**14, None, None]
    assert result.frame["additional_bytes_out"].to_list() == [339_117, 7, None, None]


@pytest.mark.parametrize("odd", [None, -1, 1.5, "12", [1], {"bytesTransferredOut": 9}, 10**18, True, -(10**16)])
def test_an_amount_that_is_no_count_of_bytes_is_none_and_leaves_the_other_alone(tmp_path, odd):
    found = row(tmp_path, **moved(4, odd))
    assert (found["additional_bytes_in"], found["additional_bytes_out"]) == (4, None)


def test_what_is_told_beside_may_be_no_object_and_the_amounts_inside_others_are_not_meant(tmp_path):
    text = event(eventSource="s3.amazonaws.com", additionalEventData='{"bytesTransferredIn":5}')
    inside = moved(4, 5, more={"bytesTransferredIn": 8}, text='"bytesTransferredOut":9')
    result = read_bytes(tmp_path, log_file(text, inside))
    assert result.frame["additional_bytes_in"].to_list() == [None, 4]
    assert result.frame["additional_bytes_out"].to_list() == [None, 5]


def test_amounts_of_records_that_are_not_as_documented_are_read_as_well(tmp_path):
    result = read_bytes(tmp_path, log_file(moved(3, 5), moved(4, 6) | {"awsRegion": 7}))
    assert result.frame["additional_bytes_in"].to_list() == [3, 4]
    assert result.frame["additional_bytes_out"].to_list() == [5, 6]


def test_oddly_typed_s3_parameters_leave_the_others_alone(tmp_path):
    odd = event(eventSource="s3.amazonaws.com", requestParameters={"bucketName": ["b"]})
    usual = event(eventSource="s3.amazonaws.com", requestParameters={"bucketName": "b"})
    assert read_bytes(tmp_path, log_file(odd, usual)).frame["bucket_name"].to_list() == [None, "b"]


@pytest.mark.parametrize(
    ("changes", "category"),
    [
        ({"eventCategory": "Data"}, "Data"),
        ({"without": ["eventCategory"], "managementEvent": False}, "Data"),
        ({"without": ["eventCategory", "managementEvent"]}, "Management"),
        (
            {
                "without": ["eventCategory", "managementEvent"],
                "eventSource": "s3.amazonaws.com",
                "eventName": "GetObject",
            },
            "Data",
        ),
        (
            {
                "without": ["eventCategory", "managementEvent"],
                "eventSource": "s3.amazonaws.com",
                "eventName": "PutBucketAcl",
            },
            "Management",
        ),
    ],
)
def test_old_records_without_a_category_get_one(tmp_path, changes, category):
    assert row(tmp_path, **changes)["event_category"] == category


@pytest.mark.parametrize("category", ["Insight", "NetworkActivity"])
def test_records_of_other_categories_are_passed_over(tmp_path, category):
    other = {"eventVersion": "1.07", "eventTime": "2024-05-01T10:30:00Z", "eventCategory": category}
    result = read_bytes(tmp_path, log_file(event(), other, event()))
    assert (result.frame.height, result.counts.passed_over, result.aside) == (2, 1, [])


@pytest.mark.parametrize(
    ("changes", "account"),
    [
        ({}, ACCOUNT),
        ({"without": ["recipientAccountId"], "userIdentity": USER | {"accountId": "444455556666"}}, "444455556666"),
        ({"without": ["recipientAccountId"], "userIdentity": {"accountId": "ANONYMOUS_PRINCIPAL"}}, "777788889999"),
        ({"without": ["recipientAccountId", "userIdentity"]}, "777788889999"),
    ],
)
def test_the_account_comes_from_record_caller_or_key(tmp_path, changes, account):
    path = tmp_path / "log"
    path.write_bytes(log_file(event(**changes)))
    obj = InputObject(url=str(path), account_id="777788889999", region="eu-west-1")
    assert read(Reader(), [obj]).frame["cloud_account_uid"].to_list() == [account]


def test_rows_of_many_objects_take_what_is_missing_from_their_own_key(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(log_file(event(without=["awsRegion"]), event()))
    regions = ["eu-west-1", None, "ap-south-1"]
    found = read(Reader(), [InputObject(url=str(path), region=region) for region in regions]).frame
    assert found["cloud_region"].to_list() == ["eu-west-1", "us-east-1", None, "us-east-1", "ap-south-1", "us-east-1"]


def test_an_event_is_late_when_it_is_older_than_its_object_by_more_than_the_bound(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(log_file(event(eventTime="2024-05-01T08:59:59Z"), event(eventTime="2024-05-01T09:00:00Z")))
    obj = InputObject(url=str(path), key_time=datetime(2024, 5, 1, 10, tzinfo=UTC))
    result = read(Reader(Limits(lateness=timedelta(hours=1))), [obj])
    assert result.frame["is_late"].to_list() == [True, False]
    assert result.counts.late == 1


def test_an_event_that_is_dated_days_after_its_object_counts_as_late(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(log_file(event(eventTime="2024-05-03T10:00:00Z"), event(eventTime="2099-05-03T10:00:01Z")))
    dated = InputObject(url=str(path), key_time=datetime(2024, 5, 1, 10, tzinfo=UTC))
    assert read(Reader(), [dated]).frame["is_late"].to_list() == [False, True]
    assert read(Reader(), [InputObject(url=str(path))]).frame["is_late"].to_list() == [False, False]


def test_an_event_that_is_dated_days_after_an_undated_object_was_written_counts_as_late_and_an_old_one_does_not(
    tmp_path,
):
    path = tmp_path / "log"
    path.write_bytes(log_file(event(eventTime="2014-05-03T10:00:00Z"), event(eventTime="2099-05-03T10:00:01Z")))
    written = datetime(2024, 5, 1, 10, tzinfo=UTC)
    result = read(Reader(), [InputObject(url=str(path), written=written)])
    assert result.frame["is_late"].to_list() == [False, True]
    assert result.counts.late == 1
    # The date in a name says more than that of a copy.
    named = InputObject(url=str(path), written=written, key_time=datetime(2099, 5, 3, tzinfo=UTC))
    assert read(Reader(), [named]).frame["is_late"].to_list() == [True, False]


def test_the_event_hash_is_equal_for_one_event_in_two_trails_and_differs_otherwise(tmp_path):
    one = event(eventID="e")
    hashes = read_bytes(
        tmp_path,
        log_file(one, one | {"userAgent": "written by another trail"}),
        log_file(one | {"eventName": "CreateUser"}, one | {"eventTime": "2024-05-01T10:30:01Z"}),
        log_file(one | {"awsRegion": "eu-west-1"}, one | {"recipientAccountId": "444455556666"}),
    ).frame["event_hash"]
    assert hashes[0] == hashes[1]
    assert hashes[1:].n_unique() == 5


def test_events_without_an_id_are_told_apart_by_their_content(tmp_path):
    without = [event(without=["eventID"], requestParameters={"n": n}) for n in (1, 2, 1)]
    hashes = read_bytes(tmp_path, log_file(*without)).frame["event_hash"]
    assert hashes[0] == hashes[2] != hashes[1]


def test_the_event_hash_does_not_depend_on_what_is_read_with_it(tmp_path):
    alone = read_bytes(tmp_path, log_file(event())).frame["event_hash"][0]
    together = read_bytes(tmp_path, log_file(event(without=["eventID"]), event(userIdentity="x"), event()))
    assert together.frame["event_hash"][2] == alone
