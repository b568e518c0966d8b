"""Bucket policies and ACLs, and whom AWS lets in under them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.detectors.acl import as_allows, public_grants
from guardray.detectors.conditions import Audience
from guardray.detectors.policy import Exposure, Grant, exposure, parse_policy

LIMITED, AUTHENTICATED, ANYONE = Audience
OBJECTS = "arn:aws:s3:::records/*"
BUCKET = "arn:aws:s3:::records"
WHOLE = [BUCKET, OBJECTS]


def allow(**changed: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": OBJECTS} | changed


def deny(**changed: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": WHOLE} | changed


def condition(operator: str, key: str, value: Any) -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


def judged(*statements: Any) -> Exposure:
    policy = parse_policy({"Version": "2012-10-17", "Statement": list(statements)})
    return exposure(policy.allows, policy.denies)


@pytest.mark.parametrize(
    ("principal", "audience"),
    [
        ({"Principal": "*"}, ANYONE),
        ({"Principal": {"AWS": "*"}}, ANYONE),
        ({"Principal": {"AWS": ["arn:aws:iam::111122223333:root", "*"]}}, ANYONE),
        ({"Principal": {"AWS": "111122223333"}}, LIMITED),
        ({"Principal": {"AWS": "arn:aws:iam::111122223333:role/reader"}}, LIMITED),
        ({"Principal": {"Service": "cloudtrail.amazonaws.com"}}, LIMITED),
        ({"Principal": {"CanonicalUser": "79a59df900b949e55d96a1e698fbaced"}}, LIMITED),
        ({"Principal": {"Federated": "cognito-identity.amazonaws.com"}}, LIMITED),
        ({"Principal": {}}, LIMITED),
        ({"Principal": None}, LIMITED),
    ],
)
def test_a_statement_lets_in_whom_its_principal_names(principal, audience):
    assert judged(allow(**principal)).read == Grant(audience, True)


def test_all_who_are_not_named_are_let_in_when_an_allow_statement_says_not_principal():
    statement = allow(NotPrincipal={"AWS": "arn:aws:iam::111122223333:root"})
    del statement["Principal"]
    assert judged(statement).read.audience is ANYONE


@pytest.mark.parametrize(
    ("actions", "reads", "writes"),
    [
        ({"Action": "s3:GetObject"}, True, False),
        ({"Action": "S3:getobject"}, True, False),
        ({"Action": ["s3:ListBucket"]}, True, False),
        ({"Action": "s3:Get*"}, True, False),
        ({"Action": "s3:GetBucketWebsite"}, True, False),
        ({"Action": "s3:PutObject"}, False, True),
        ({"Action": "s3:DeleteObject*"}, False, True),
        ({"Action": "s3:PutObjectRetention"}, False, True),
        ({"Action": "s3:*Object"}, True, True),
        ({"Action": "s3:???Object"}, True, True),
        ({"Action": "s3:*"}, True, True),
        ({"Action": "*"}, True, True),
        ({"Action": "ec2:DescribeInstances"}, False, False),
        ({"NotAction": "s3:PutObject"}, True, True),
        ({"NotAction": ["s3:Put*", "s3:Delete*", "s3:AbortMultipartUpload", "s3:RestoreObject"]}, True, False),
        ({"NotAction": "s3:*"}, False, False),
    ],
)
def test_an_action_pattern_counts_as_reading_and_writing_by_what_it_matches(actions, reads, writes):
    statement = {
        name: value for name, value in allow(**actions).items() if "NotAction" not in actions or name != "Action"
    }
    found = judged(statement)
    assert (found.read.audience is ANYONE, found.write.audience is ANYONE) == (reads, writes)


@pytest.mark.parametrize(
    ("operator", "key", "value", "audience"),
    [
        ("IpAddress", "aws:SourceIp", "203.0.113.0/24", LIMITED),
        ("IpAddress", "aws:SourceIp", ["203.0.113.0/24", "2001:db8::/32"], LIMITED),
        ("IpAddress", "aws:SourceIp", "10.0.0.0/8", LIMITED),
        ("IpAddress", "aws:SourceIp", "0.0.0.0/0", ANYONE),
        ("IpAddress", "aws:SourceIp", ["203.0.113.0/24", "0.0.0.0/1"], ANYONE),
        ("IpAddress", "aws:SourceIp", "::/0", ANYONE),
        ("NotIpAddress", "aws:SourceIp", "203.0.113.0/24", ANYONE),
        ("IpAddressIfExists", "aws:SourceIp", "203.0.113.0/24", ANYONE),
        ("StringEquals", "aws:SourceVpce", "vpce-1a2b3c4d", LIMITED),
        ("StringEquals", "aws:SourceVpc", ["vpc-111", "vpc-222"], LIMITED),
        ("StringLike", "aws:SourceVpc", "vpc-*", ANYONE),
        ("StringEquals", "aws:PrincipalOrgID", "o-exampleorgid", LIMITED),
        ("StringEquals", "AWS:principalorgid", "o-exampleorgid", LIMITED),
        ("StringEqualsIfExists", "aws:PrincipalOrgID", "o-exampleorgid", ANYONE),
        ("StringNotEquals", "aws:PrincipalOrgID", "o-exampleorgid", ANYONE),
        ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-exampleorgid/r-ab12/*", LIMITED),
        ("ForAllValues:StringLike", "aws:PrincipalOrgPaths", "o-exampleorgid/r-ab12/*", ANYONE),
        ("StringEquals", "aws:PrincipalAccount", "111122223333", LIMITED),
        ("StringLike", "aws:PrincipalArn", "arn:aws:iam::*", AUTHENTICATED),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/reader", AUTHENTICATED),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::111122223333:role/*", LIMITED),
        ("StringEquals", "aws:PrincipalArn", "${aws:PrincipalArn}", AUTHENTICATED),
        ("StringLike", "aws:userid", "AROAEXAMPLEID:*", LIMITED),
        ("StringLike", "aws:userid", "*", AUTHENTICATED),
        ("StringEquals", "aws:PrincipalTag/team", "data", AUTHENTICATED),
        ("Bool", "aws:MultiFactorAuthPresent", "true", AUTHENTICATED),
        ("Bool", "aws:PrincipalIsAWSService", True, LIMITED),
        ("Null", "aws:PrincipalArn", "false", AUTHENTICATED),
        ("ArnLike", "aws:SourceArn", "arn:aws:cloudfront::111122223333:distribution/*", LIMITED),
        ("ArnEquals", "aws:SourceArn", "arn:aws:s3:::source", LIMITED),
        ("StringEquals", "aws:SourceAccount", "111122223333", LIMITED),
        ("StringLike", "s3:DataAccessPointArn", "arn:aws:s3:us-west-2:111122223333:accesspoint/*", LIMITED),
        ("StringLike", "aws:Referer", "https://www.example.com/*", ANYONE),
        ("StringEquals", "aws:UserAgent", "secret", ANYONE),
        ("Bool", "aws:SecureTransport", "true", ANYONE),
        ("StringEquals", "s3:prefix", "public/", ANYONE),
        ("DateLessThan", "aws:CurrentTime", "2030-01-01T00:00:00Z", ANYONE),
    ],
)
def test_a_condition_narrows_the_audience_when_it_names_who_or_where_from(operator, key, value, audience):
    assert judged(allow(**condition(operator, key, value))).read == Grant(audience, True)


def test_the_narrowest_condition_decides_when_a_statement_has_several():
    conditions = {"StringLike": {"aws:Referer": "*"}, "StringEquals": {"aws:SourceVpce": "vpce-1"}}
    assert judged(allow(Condition=conditions)).read.audience is LIMITED


@pytest.mark.parametrize(
    ("denial", "audience", "permission"),
    [
        (deny(), LIMITED, "NOT_PUBLIC"),
        (deny(Action="s3:PutObject"), ANYONE, "PUBLIC"),
        (deny(Action="s3:Get*", Resource="*"), LIMITED, "NOT_PUBLIC"),
        (deny(Principal={"AWS": "arn:aws:iam::111122223333:user/mallory"}), ANYONE, "PUBLIC"),
        (deny(Resource="arn:aws:s3:::records/private/*"), ANYONE, "UNKNOWN"),
        (deny(Resource="arn:aws:s3:::others/*"), ANYONE, "PUBLIC"),
        (deny(**condition("Bool", "aws:SecureTransport", "false")), ANYONE, "PUBLIC"),
        (deny(**condition("NumericLessThan", "s3:TlsVersion", "1.2")), ANYONE, "PUBLIC"),
        (deny(**condition("NotIpAddress", "aws:SourceIp", "203.0.113.0/24")), LIMITED, "NOT_PUBLIC"),
        (deny(**condition("IpAddress", "aws:SourceIp", "203.0.113.0/24")), ANYONE, "UNKNOWN"),
        (deny(**condition("StringNotEquals", "aws:SourceVpce", "vpce-1")), LIMITED, "NOT_PUBLIC"),
        (deny(**condition("StringNotEqualsIfExists", "aws:SourceVpce", "vpce-1")), LIMITED, "NOT_PUBLIC"),
        (deny(**condition("StringNotLike", "aws:userid", "AROAEXAMPLEID:*")), LIMITED, "NOT_PUBLIC"),
        (deny(**condition("StringNotLike", "aws:PrincipalArn", "arn:aws:iam::*")), AUTHENTICATED, "PUBLIC"),
        (deny(**condition("BoolIfExists", "aws:MultiFactorAuthPresent", "false")), AUTHENTICATED, "PUBLIC"),
        (deny(**condition("Bool", "aws:MultiFactorAuthPresent", "false")), ANYONE, "UNKNOWN"),
        (deny(**condition("Null", "aws:PrincipalArn", "true")), AUTHENTICATED, "PUBLIC"),
        (deny(**condition("StringNotLike", "aws:Referer", "https://www.example.com/*")), ANYONE, "UNKNOWN"),
        (
            deny(
                Condition={
                    "NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"},
                    "StringNotEquals": {"aws:SourceVpce": "vpce-1"},
                }
            ),
            LIMITED,
            "NOT_PUBLIC",
        ),
    ],
)
def test_a_denial_takes_from_what_everyone_was_allowed_to_read(denial, audience, permission):
    found = judged(allow(), denial)
    assert (found.read.audience, found.effective_permission) == (audience, permission)


def test_all_but_the_named_are_denied_when_a_deny_statement_says_not_principal():
    statement = deny(NotPrincipal={"AWS": "arn:aws:iam::111122223333:root"})
    del statement["Principal"]
    assert judged(allow(), statement).effective_permission == "NOT_PUBLIC"


def test_what_is_sure_outweighs_what_is_not_when_both_are_open_to_anyone():
    private = deny(Resource="arn:aws:s3:::records/private/*")
    elsewhere = allow(Resource="arn:aws:s3:::records/public/*")
    assert judged(allow(), elsewhere, private).effective_permission == "PUBLIC"


def test_a_policy_reads_the_same_as_text_and_as_an_object():
    document = {"Statement": allow()}
    assert parse_policy(json.dumps(document)) == parse_policy(document)


def test_patterns_that_would_take_for_ever_to_backtrack_are_matched_at_once():
    assert judged(allow(Action="s3:" + "*e" * 200 + "!")).read.audience is LIMITED


CANNED = [
    ("private", LIMITED, LIMITED),
    ("public-read", ANYONE, LIMITED),
    ("public-read-write", ANYONE, ANYONE),
    ("authenticated-read", AUTHENTICATED, LIMITED),
    ("log-delivery-write", LIMITED, LIMITED),
    ("bucket-owner-full-control", LIMITED, LIMITED),
]


def acl_exposure(request: dict[str, Any], policy: Any = None) -> tuple[Audience, Audience]:
    found = exposure(as_allows(public_grants(request), "records"), parse_policy(policy).denies)
    return found.read.audience, found.write.audience


@pytest.mark.parametrize(("name", "read", "write"), CANNED)
@pytest.mark.parametrize("form", [lambda name: name, lambda name: [name]], ids=["text", "list"])
def test_a_canned_acl_lets_in_its_groups(form, name, read, write):
    assert acl_exposure({"x-amz-acl": form(name)}) == (read, write)


def grant(group: str, permission: str) -> dict[str, Any]:
    uri = f"http://acs.amazonaws.com/groups/{group}"
    return {"Grantee": {"xsi:type": "Group", "URI": uri}, "Permission": permission}


@pytest.mark.parametrize(
    ("grants", "read", "write"),
    [
        ([grant("global/AllUsers", "READ")], ANYONE, LIMITED),
        ([grant("global/AllUsers", "WRITE")], LIMITED, ANYONE),
        ([grant("global/AllUsers", "READ_ACP")], ANYONE, LIMITED),
        ([grant("global/AllUsers", "WRITE_ACP")], LIMITED, ANYONE),
        ([grant("global/AllUsers", "FULL_CONTROL")], ANYONE, ANYONE),
        ([grant("global/AuthenticatedUsers", "READ")], AUTHENTICATED, LIMITED),
        ([grant("global/AuthenticatedUsers", "READ"), grant("global/AllUsers", "WRITE")], AUTHENTICATED, ANYONE),
        (grant("global/AllUsers", "READ"), ANYONE, LIMITED),
        ([grant("s3/LogDelivery", "WRITE")], LIMITED, LIMITED),
        ([{"Grantee": {"xsi:type": "CanonicalUser", "ID": "79a5"}, "Permission": "FULL_CONTROL"}], LIMITED, LIMITED),
        ([{"Grantee": {"URI": ["http://acs.amazonaws.com/groups/global/AllUsers"]}}], LIMITED, LIMITED),
        ("", LIMITED, LIMITED),
    ],
)
def test_grants_in_the_body_let_in_the_groups_they_name(grants, read, write):
    assert acl_exposure({"AccessControlPolicy": {"AccessControlList": {"Grant": grants}}}) == (read, write)


def test_grants_in_headers_let_in_the_groups_they_name():
    header = 'id="79a5", uri="http://acs.amazonaws.com/groups/global/AllUsers"'
    assert acl_exposure({"x-amz-grant-write": header, "x-amz-grant-read": 'id="79a5"'}) == (LIMITED, ANYONE)


def test_an_acl_is_closed_when_the_policy_denies_everything():
    assert acl_exposure({"x-amz-acl": "public-read-write"}, {"Statement": [deny()]}) == (LIMITED, LIMITED)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["*", "Allow", "Deny", "s3:*", OBJECTS]) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=6,
)
arbitrary_statements = st.fixed_dictionaries(
    {},
    optional={
        "Effect": json_values,
        "Principal": json_values,
        "NotPrincipal": json_values,
        "Action": json_values,
        "NotAction": json_values,
        "Resource": json_values,
        "NotResource": json_values,
        "Condition": st.dictionaries(st.sampled_from(["Bool", "StringLike", "IpAddress", "ForAnyValue:"]), json_values),
    },
)
conditions = st.fixed_dictionaries({}) | st.builds(
    condition,
    st.sampled_from(["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "BoolIfExists", "Null"]),
    st.sampled_from(["aws:PrincipalArn", "aws:SourceVpce", "aws:Referer", "aws:SecureTransport"]),
    st.sampled_from(["*", "arn:aws:iam::*", "arn:aws:iam::111122223333:root", "vpce-1", "true", "false"]),
)
parts = st.fixed_dictionaries(
    {
        "Action": st.sampled_from(["s3:*", "s3:GetObject", "s3:Put*", ["s3:ListBucket", "s3:DeleteObject"]]),
        "Resource": st.sampled_from([WHOLE, OBJECTS, BUCKET, "arn:aws:s3:::records/private/*", "*"]),
        "Principal": st.sampled_from(["*", {"AWS": "*"}, {"AWS": "arn:aws:iam::111122223333:root"}]),
    }
)
statements = st.builds(
    lambda effect, part, extra: effect(**part, **extra), st.sampled_from([allow, deny]), parts, conditions
)
everything = allow(Action="*", Resource="*")


@given(json_values | st.fixed_dictionaries({"Statement": st.lists(arbitrary_statements) | json_values}))
def test_any_json_is_judged_without_an_error(document):
    policy = parse_policy(document)
    assert exposure(policy.allows, policy.denies).effective_permission in ("PUBLIC", "NOT_PUBLIC", "UNKNOWN")


@given(st.text())
def test_any_text_is_judged_without_an_error(text):
    assert exposure(parse_policy(text).allows, ()) is not None


@given(st.dictionaries(st.sampled_from(["x-amz-acl", "x-amz-grant-read", "AccessControlPolicy"]), json_values))
def test_any_acl_request_is_judged_without_an_error(request):
    assert public_grants(request) == sorted(public_grants(request))


@given(st.lists(statements, max_size=4), statements)
def test_a_policy_is_never_less_public_when_a_statement_allows_more(before, statement):
    if statement["Effect"] == "Allow":
        after = judged(*before, statement)
        assert after.read >= judged(*before).read
        assert after.write >= judged(*before).write


@given(st.lists(statements, max_size=4), statements)
def test_a_policy_is_never_open_to_more_when_a_statement_denies_something(before, statement):
    if statement["Effect"] == "Deny":
        after = judged(*before, statement)
        assert after.read <= judged(*before).read
        assert after.write <= judged(*before).write


@given(st.lists(statements, max_size=4))
def test_allowing_everything_without_a_denial_is_public(before):
    allowing = [statement for statement in before if statement["Effect"] == "Allow"]
    assert judged(*allowing, everything).widest == Grant(ANYONE, True)


@given(st.lists(statements, max_size=4).flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))))
def test_the_order_of_statements_does_not_matter(pair):
    before, shuffled = pair
    assert judged(*before) == judged(*shuffled)
