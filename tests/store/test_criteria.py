"""FindingCriteria: what is understood, what is refused and why, and what each operator means."""

from __future__ import annotations

import time

import pytest

from guardray.errors import QueryRefusedError
from guardray.store.criteria import Condition, matches, parse_criteria

FINDING = {
    "accountId": "111122223333",
    "type": "Recon:EC2/Portscan",
    "severity": 8.5,
    "updatedAt": "2024-05-01T12:06:00.000Z",
    "resource": {
        "instanceDetails": {
            "launchTime": "2024-05-01T12:06:00Z",
            "networkInterfaces": [{"subnetId": "subnet-1", "ipv6Addresses": ["::1", "::2"]}, {"subnetId": "subnet-2"}],
        }
    },
    "service": {
        "archived": False,
        "action": {
            "networkConnectionAction": {
                "localPortDetails": {"port": 22},
                "remoteIpDetails": {"organization": {"asn": "64500"}},
            }
        },
        "additionalInfo": {"threatListName": "feodo"},
    },
}
PORT = "service.action.networkConnectionAction.localPortDetails.port"
SUBNET = "resource.instanceDetails.networkInterfaces.subnetId"
NOON = 1714565160000  # the update, in milliseconds


def asks(attribute, **operators):
    return matches(parse_criteria({"criterion": {attribute: operators}}), FINDING)


def test_both_spellings_of_operators_work_also_in_one_request():
    expected = parse_criteria({"Criterion": {"severity": {"GreaterThanOrEqual": 4, "LessThan": 9}}})
    assert parse_criteria({"criterion": {"severity": {"gte": 4, "lessThan": 9}}}) == expected
    assert [condition.operator for condition in expected] == ["greaterThanOrEqual", "lessThan"]
    assert parse_criteria({"criterion": {"type": {"neq": ["a"]}}}) == (Condition("type", "notEquals", ("a",)),)


@pytest.mark.parametrize("nothing", [None, {}, {"criterion": {}}, {"Criterion": None}])
def test_no_criteria_ask_for_nothing(nothing):
    assert parse_criteria(nothing) == ()
    assert matches((), FINDING)


def test_one_of_the_values_is_enough_and_all_attributes_must_hold():
    assert asks("type", equals=["x", "Recon:EC2/Portscan"])
    both = {"type": {"eq": ["Recon:EC2/Portscan"]}, "accountId": {"eq": ["444455556666"]}}
    assert not matches(parse_criteria({"criterion": both}), FINDING)


def test_values_are_compared_as_what_the_finding_has_and_not_as_texts():
    assert asks(PORT, eq=["22.0"])
    assert not asks(PORT, eq=["220"])
    assert asks("service.archived", eq=["false"])
    assert not asks("service.archived", eq=["true"])


def test_a_severity_equals_the_whole_number_of_its_band():
    assert asks("severity", eq=["8"])
    assert not asks("severity", eq=["9"])
    assert asks("severity", gt=8)


def test_times_are_asked_for_in_milliseconds():
    assert asks("updatedAt", gte=NOON, lte=NOON)
    assert not asks("updatedAt", gt=NOON)
    assert asks("updatedAt", eq=[str(NOON)])
    assert asks("resource.instanceDetails.launchTime", gte=NOON, lte=NOON)


def test_a_number_written_as_text_is_compared_as_a_number():
    assert asks("service.action.networkConnectionAction.remoteIpDetails.organization.asn", gte=9999, lt=64501)


def test_one_element_of_a_list_is_enough():
    assert asks(SUBNET, eq=["subnet-2"])
    assert not asks(SUBNET, neq=["subnet-2"])
    assert asks("resource.instanceDetails.networkInterfaces.ipv6Addresses", eq=["::2"])


def test_what_is_absent_equals_nothing_and_differs_from_everything():
    absent = "resource.accessKeyDetails.userName"
    assert not asks(absent, eq=[""])
    assert not asks(absent, matches=["*"])
    assert not asks(absent, gt=-1)
    assert asks(absent, neq=["alice"])
    assert asks(absent, notMatches=["*"])


def test_a_pattern_is_of_the_whole_value():
    assert asks("type", matches=["Recon:*scan"])
    assert asks("type", matches=["Recon:EC?/Portscan"])
    assert not asks("type", matches=["Recon:", "*EC2", "recon:*"])
    assert asks(PORT, matches=["2?"])


def test_no_pattern_is_slow():
    value = {"service": {"x": "a" * 20_000}}
    criteria = (Condition("service.x", "matches", ("*a" * 250 + "b",)),)
    start = time.perf_counter()
    assert not matches(criteria, value)
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("resource.instanceDetails.outpostARN", "resource.instanceDetails.outpostArn"),
        (
            "service.action.rdsLoginAttemptAction.loginAttributes.user",
            "service.action.rdsLoginAttemptAction.LoginAttributes.user",
        ),
    ],
)
def test_older_spellings_of_attributes_mean_the_same(old, new):
    assert parse_criteria({"criterion": {old: {"eq": ["x"]}}}) == (Condition(new, "equals", ("x",)),)


@pytest.mark.parametrize(
    ("criteria", "reason"),
    [
        ({"criterion": {"x": {"eq": ["a"]}}}, "names the attribute 'x', which no finding has"),
        ({"criterion": {"service": {"eq": ["a"]}}}, "names the attribute 'service', which no finding has"),
        ({"criterion": {'service.a"b': {"eq": ["a"]}}}, "which no finding has"),
        ({"criterion": {"service..a": {"eq": ["a"]}}}, "which no finding has"),
        ({"criterion": {"service" + ".a" * 16: {"eq": ["a"]}}}, "which no finding has"),
        ({"criterion": {"type": {"like": ["a"]}}}, "has the unknown operator 'like' for type"),
        ({"criterion": {"type": {"eq": "a"}}}, "has values for type that are not a list of strings"),
        ({"criterion": {"type": {"eq": [1]}}}, "has values for type that are not a list of strings"),
        ({"criterion": {"type": {"eq": ["\ud800"]}}}, "has a value for type that is not valid Unicode"),
        ({"criterion": {"type": {"eq": ["a"] * 51}}}, "has more than 50 values for type"),
        ({"criterion": {"type": {"matches": ["a"] * 6}}}, "has more than 5 values for type"),
        ({"criterion": {"type": {"matches": ["a" * 513]}}}, "a pattern of more than 512 characters for type"),
        ({"criterion": {"severity": {"gte": 2**63}}}, "has a bound for severity that is not a 64-bit integer"),
        ({"criterion": {"severity": {"gte": True}}}, "has a bound for severity that is not a 64-bit integer"),
        ({"criterion": {"severity": {"gte": "4"}}}, "has a bound for severity that is not a 64-bit integer"),
        ({"criterion": {"type": ["a"]}}, "gives no operator for type"),
        ({"criterion": []}, "has a criterion that is not an object"),
        ({"type": {"eq": ["a"]}}, "holds more than the member criterion"),
        ({"criterion": {f"service.a{number}": {} for number in range(51)}}, "has more than 50 attributes"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_reason(criteria, reason):
    with pytest.raises(QueryRefusedError) as refusal:
        parse_criteria(criteria)
    assert refusal.value.parameter == "findingCriteria"
    assert reason in refusal.value.reason


def test_wildcards_are_for_filters_only():
    with pytest.raises(QueryRefusedError, match="uses matches for type, which only filters may"):
        parse_criteria({"criterion": {"type": {"matches": ["a*"]}}}, wildcards=False)
