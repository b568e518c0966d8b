"""Sigma rules for CloudTrail: which rows they are true for, and which rules are refused."""

from __future__ import annotations

import base64
import json
import re

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from own_rules import SIGMA, rule_file

from guardray.context.enrich import enrich
from guardray.custom.queries import QueryRunner
from guardray.custom.sigma.rules import read_sigma
from guardray.custom.yaml_text import read_document
from guardray.errors import UsageError
from guardray.intel.store import IndicatorStore
from guardray.rulebook.examples import outcomes
from guardray.schema import api_activity
from guardray.testing import frame_of


def sigma(folder, selection: dict | None = None, **changes):
    rule = yaml.safe_load(SIGMA) | changes
    if selection is not None:
        rule["detection"] = {"selection": selection, "condition": "selection"}
    return read_sigma(read_document(rule_file(folder, yaml.safe_dump(rule), "rule.yml")))[0]


def error_of(folder, text: str) -> str:
    with pytest.raises(UsageError) as error:
        read_sigma(read_document(rule_file(folder, text, "rule.yml")))
    return str(error.value)


def is_true(detector, row) -> bool:
    batch = enrich(frame_of(api_activity.SCHEMA, [row]), api_activity.SCHEMA, IndicatorStore())
    hits, problems = QueryRunner([detector]).hits(batch)
    assert problems == []
    return bool(hits)


PUT = {
    "api_operation": "PutBucketPolicy",
    "api_request_data": """{"policy": "Allow a 50% [x_y]", "n": 5, "flag": true, "empty": "", "nothing": null,
        "x-amz-acl": "public-read", "deep": {"er": "Value"}, "list": ["one", "Two"], "roles": [{"name": "admin"}],
        "document": "{\\"Effect\\": \\"Allow\\"}",
        "containers": [{"command": ["sh", "-c"]}, {"command": "curl"}]}""",
    "src_endpoint_ip": "10.1.2.3",
    "http_request_user_agent": "S3 Browser/9.5",
    "actor_session_issuer": "arn:aws:iam::111122223333:role/Admin",
    "actor_user_name": "PutBucketPolicy",
    "actor_session_is_mfa": False,
    "is_read_only": False,
}

TRUE = [
    {"eventName": "putbucketPOLICY"},
    {"eventName": "Put*"},
    {"eventName": "Put?ucketPolicy"},
    {"eventName": ["GetObject", "PutBucketPolicy"]},
    {"eventName|contains": "bucket"},
    {"eventName|startswith": "put"},
    {"eventName|endswith": "policy"},
    {"eventName|contains|all": ["put", "POLICY"]},
    {"eventName|re": "^Put.*y$"},
    {"eventName|re|i": "^put"},
    {"eventName|cased": "PutBucketPolicy"},
    {"userIdentity.userName|fieldref": "eventName"},
    {"userIdentity.sessionContext.sessionIssuer.userName|fieldref": "requestParameters.roles.name"},
    {"status": "success", "type": None},
    {"requestParameters|contains": '"Effect": "Allow"'},
    {"sourceIPAddress|cidr": "10.0.0.0/8"},
    {"userAgent|contains": "s3 browser"},
    {"readOnly": False},
    {"readOnly": "false"},
    {"userIdentity.sessionContext.attributes.mfaAuthenticated": "false"},
    {"userIdentity.sessionContext.sessionIssuer.type": "Role"},
    {"sessionContext.sessionIssuer.userName": "admin"},
    {"errorCode": None},
    {"errorCode|exists": False},
    {"eventName|exists": True},
    {"requestParameters.policy|contains": "50% [x_y"},
    {"requestParameters.n": 5},
    {"requestParameters.n|gte": 5},
    {"requestParameters.flag": True},
    {"requestParameters.flag": "TRUE"},
    {"requestParameters.empty": ""},
    {"requestParameters.nothing": None},
    {"requestParameters.missing": None},
    {"requestParameters.x-amz-acl": "Public-Read"},
    {"requestParameters.deep.er": "value"},
    {"requestParameters.list": "two"},
    {"requestParameters.containers.command": "SH"},
    {"requestParameters.containers.command|contains": "url"},
    {"requestParameters|contains": "public-read"},
]

FALSE = [
    {"eventName": "PutBucket"},
    {"eventName": "Put_ucketPolicy"},
    {"eventName|re": "^put"},
    {"eventName|cased": "putbucketpolicy"},
    {"sourceIPAddress|cidr": "192.168.0.0/16"},
    {"sourceIPAddress|cidr": "2001:db8::/32"},
    {"errorCode": "*"},
    {"errorCode|exists": True},
    {"eventName": None},
    {"requestParameters.n|gt": 5},
    {"requestParameters.policy": "5_%*"},
    {"requestParameters.deep": "value"},
    {"requestParameters.er": "value"},
    {"requestParameters.list": "on"},
    {"requestParameters.empty": None},
    {"responseElements.policy|contains": "Allow"},
]


@pytest.mark.parametrize("detection", TRUE, ids=str)
def test_a_selection_is_true(tmp_path, detection):
    assert is_true(sigma(tmp_path, detection), PUT)


@pytest.mark.parametrize("detection", FALSE, ids=str)
def test_a_selection_is_false(tmp_path, detection):
    assert not is_true(sigma(tmp_path, detection), PUT)


LETTERS = "aBÄé%_!'[.*?" + '"'


@given(st.text(LETTERS, min_size=1, max_size=6), st.text("aBÄé%_!'[.x\\", max_size=8))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_values_match_as_wildcards_say_whatever_characters_they_have(tmp_path, pattern, text):
    parts = {"*": ".*", "?": "."}
    expected = re.fullmatch("".join(parts.get(c, re.escape(c.lower())) for c in pattern), text.lower(), re.DOTALL)
    row = {"http_request_user_agent": text, "api_request_data": json.dumps({"k": [text]})}
    assert is_true(sigma(tmp_path, {"userAgent": pattern}), row) == bool(expected)
    assert is_true(sigma(tmp_path, {"requestParameters.k": pattern}), row) == bool(expected)


def test_an_encoded_value_is_found_at_any_offset(tmp_path):
    detector = sigma(tmp_path, {"requestParameters.userData|base64offset|contains": "curl http"})
    for text in ("curl http", "xcurl http", "xxcurl http"):
        data = base64.b64encode(text.encode()).decode()
        assert is_true(detector, {"api_request_data": f'{{"userData": "{data}"}}'}), text
    assert not is_true(detector, {"api_request_data": '{"userData": "bm90aGluZw=="}'})


def test_a_network_of_ipv6_is_told_by_how_addresses_begin(tmp_path):
    detector = sigma(tmp_path, {"sourceIPAddress|cidr": "2001:db8::/32"})
    assert is_true(detector, {"src_endpoint_ip": "2001:DB8::1"})
    assert not is_true(detector, {"src_endpoint_ip": "2001:db9::1"})


def test_a_filter_on_a_field_that_is_missing_filters_nothing(tmp_path):
    """NOT over an unknown value is true: a row must not escape a rule by lacking a field."""
    detection = {
        "selection": {"eventName": "PutBucketPolicy"},
        "filter_agent": {"userAgent|contains": "cloudformation"},
        "filter_json": {"requestParameters.no.thing": "x"},
        "condition": "selection and not 1 of filter_*",
    }
    detector = sigma(tmp_path, detection=detection)
    assert is_true(detector, {"api_operation": "PutBucketPolicy"})
    assert not is_true(detector, {"api_operation": "PutBucketPolicy", "http_request_user_agent": "CloudFormation"})


def test_keywords_are_looked_for_anywhere(tmp_path):
    detector = sigma(tmp_path, detection={"keywords": ["EvilTool", "no*wh%re"], "condition": "keywords"})
    assert is_true(detector, {"http_request_user_agent": "the eviltool/1"})
    assert is_true(detector, {"api_request_data": '{"x": "EVILTOOL"}'})
    assert not is_true(detector, {"api_request_data": '{"x": "nowhere"}'})


@pytest.mark.parametrize(
    ("detection", "operations"),
    [
        ({"eventName": ["A", "B"], "eventSource": "x"}, ["a", "b"]),
        ({"eventName": "A*"}, []),
        ({"eventSource": "x"}, []),
        ({"eventName|cased": "A"}, []),
    ],
    ids=str,
)
def test_the_operations_that_a_rule_is_about_are_told(tmp_path, detection, operations):
    assert sorted(sigma(tmp_path, detection).queries[0].operations) == operations


def test_operations_are_not_told_where_another_branch_has_none(tmp_path):
    detection = {"a": {"eventName": "A"}, "b": {"errorCode": "x"}, "condition": "a or b"}
    assert sigma(tmp_path, detection=detection).queries[0].operations == frozenset()


def test_type_severity_and_mode_come_from_the_rule(tmp_path):
    detector = sigma(tmp_path, level="high", title="A rule, of {mine}", tags=["attack.t1078", "attack.initial-access"])
    assert detector.finding_type == "InitialAccess:CloudTrail/ARuleOfMine.Sigma"
    assert detector.severity == 8.0
    assert detector.mode == "DRY_RUN"


def test_a_rule_without_tactic_and_level_has_defaults(tmp_path):
    detector = sigma(tmp_path, tags=[], level=None)
    assert detector.finding_type == "Policy:CloudTrail/UserCreated.Sigma"
    assert detector.severity == 1.0


EXAMPLES = [
    {"fires": "it is created", "row": {"api_operation": "CreateUser", "api_service_name": "iam.amazonaws.com"}},
    {"quiet": "it is deleted", "row": {"api_operation": "DeleteUser", "api_service_name": "iam.amazonaws.com"}},
]


def test_a_rule_with_examples_is_live_and_may_have_a_type_of_its_own(tmp_path):
    detector = sigma(tmp_path, guardray={"finding_type": "Persistence:IAMUser/Made", "examples": EXAMPLES})
    assert (detector.finding_type, detector.mode) == ("Persistence:IAMUser/Made", "LIVE")
    assert [outcome.failure for outcome in outcomes(detector)] == [None, None]


WRONG = {
    "of another product": (
        SIGMA.replace("product: aws", "product: windows"),
        "line 2: not for CloudTrail: its log source",
    ),
    "of another service": (SIGMA.replace("service: cloudtrail", "service: eks"), "not for CloudTrail: .*service eks"),
    "of another category": (
        SIGMA.replace("{product: aws, service: cloudtrail}", "{category: process_creation}"),
        "its log source is category process_creation",
    ),
    "without a log source": (SIGMA.replace("logsource: {product: aws, service: cloudtrail}\n", ""), "is not said"),
    "with an unknown field": (SIGMA.replace("eventSource", "tlsDetails.cipher"), "'tlsDetails.cipher' .* is not kept"),
    "without a condition": (SIGMA.replace("  condition: selection\n", ""), "not a Sigma rule: "),
    "with an unknown selection": (SIGMA.replace("condition: selection", "condition: nothing"), "line 3: .*nothing"),
    "with an old count": (SIGMA.replace("condition: selection", "condition: selection | count() > 5"), "line 3: "),
    "with an unknown modifier": (SIGMA.replace("eventName:", "eventName|frobnicate:"), "frobnicate"),
    "with an expression that RE2 has not": (
        SIGMA.replace("eventName: CreateUser", "eventName|re: '(?=Create)User'"),
        r"invalid|perl|syntax|regular",
    ),
    "with a placeholder": (SIGMA.replace("eventName: CreateUser", "eventName|expand: '%names%'"), "placeholder"),
    "with a wrong level": (SIGMA.replace("level: medium", "level: worst"), "not a Sigma rule: .*worst"),
    "with a wrong attribute of ours": (SIGMA + "guardray: {mood: LIVE}\n", "line 10: .*unknown field `mood`"),
    "with a wrong example": (
        SIGMA + "guardray:\n  examples:\n    - fires: x\n      row: {nothing: 1}\n",
        "line 13: api_activity has no column 'nothing'",
    ),
    "a correlation": (
        "title: Many\ncorrelation: {type: event_count, rules: [x], group-by: [a], timespan: 1h, condition: {gte: 9}}\n",
        "line 2: a correlation rule looks at many records, which is not supported",
    ),
    "a filter": (SIGMA + "filter: {rules: [x], selection: {a: 1}, condition: not selection}\n", "filters that change"),
}


@pytest.mark.parametrize(("text", "reason"), WRONG.values(), ids=WRONG)
def test_a_rule_that_cannot_be_used_is_refused_with_the_reason(tmp_path, text, reason):
    assert re.search(reason, error_of(tmp_path, text)), error_of(tmp_path, text)
