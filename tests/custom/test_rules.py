"""Files with rules in SQL: what they become, and what is said of one that is wrong."""

from __future__ import annotations

import re

import pytest
from own_rules import RULE, detector_of, rule_file

from guardray.custom.rules import read_rule
from guardray.custom.yaml_text import MOST_BYTES, read_document
from guardray.errors import UsageError
from guardray.rulebook.examples import outcomes
from guardray.testing import findings_from, frame_of

FLOWS = """\
finding_type: Policy:EC2/TelnetAnswered
about: Somebody outside was answered by telnet.
source: vpc-flow
severity: 4.5
role: ACTOR
condition: dst_endpoint_port = $port AND NOT is_rejected AND in_network(dst_endpoint_ip_v4, '10.0.0.0/8')
tunables: {port: {value: 23, reason: telnet}}
title: "{dst_endpoint_ip_v4} was reached at {time}."
examples:
  - fires: telnet
    rows:
      - {dst_endpoint_port: 443}
      - &flow {src_endpoint_ip_v4: 3325256711, dst_endpoint_ip_v4: 167772165, dst_endpoint_port: 23, instance_uid: i-1}
  - quiet: refused
    row: {<<: *flow, is_rejected: true}
"""

DNS = """\
finding_type: Policy:EC2/OddName
about: An odd name.
source: dns
severity: high
condition: ends_with(query_hostname, '.invalid') AND list_contains(answer_types, 'A')
title: "{query_hostname} was asked for."
examples:
  - fires: it is asked for
    row: &query {query_hostname: a.invalid, answers: [192.0.2.1], answer_types: [A]}
  - quiet: it has no address
    row: {<<: *query, answer_types: []}
"""


def error_of(folder, text: str) -> str:
    with pytest.raises(UsageError) as error:
        read_rule(read_document(rule_file(folder, text)))
    return str(error.value).replace(str(folder), "")


def test_a_rule_becomes_a_detector(tmp_path):
    detector = detector_of(tmp_path)
    assert detector.finding_type == "Policy:IAMUser/UserCreated"
    assert detector.severity == 2.0
    assert detector.mode == "LIVE"
    assert detector.entity == ("rule", "actor_principal")
    assert detector.queries[0].operations == {"createuser"}
    assert [example.name for example in detector.examples] == ["a user is created", "the call is denied"]


def test_its_findings_are_filled_from_the_row(tmp_path):
    text = RULE.replace('{request.userName}."', '{request.userName}, {request.tags[0].key}, {response.no}, {time}."')
    detector = detector_of(tmp_path, text)
    row = {
        "api_operation": "CreateUser",
        "api_service_name": "iam.amazonaws.com",
        "actor_user_name": "alice",
        "api_request_data": '{"userName": "mallory", "tags": [{"key": 7}]}',
        "bucket_name": "x",
    }
    (finding,) = findings_from(detector, frame_of(detector.schema, [row]))
    assert finding.title == "user alice created user mallory, 7, unknown, 2026-01-12 10:00:00 UTC."
    assert finding.description == finding.title
    assert finding.resource.resource_type == "AccessKey"
    assert finding.action.api == "CreateUser"


def test_alternatives_have_names_severities_and_titles_of_their_own(tmp_path):
    condition = "condition: |\n  api_service_name = 'iam.amazonaws.com'\n  AND api_response_error IS NULL\n"
    rules = """rules:
  - name: ByNight
    severity: high
    condition: hour(time) < 6
    title: By night.
  - name: ByDay
    condition: api_response_error IS NULL
"""
    detector = detector_of(tmp_path, RULE.replace(condition, rules))
    row = {"api_operation": "CreateUser"}
    night = row | {"time": frame_of(detector.schema, [{}])["time"][0].replace(hour=3)}
    found = findings_from(detector, frame_of(detector.schema, [row, night]))
    told = {finding.additional_info["ruleName"]: (finding.severity, finding.title) for finding in found}
    assert told == {"ByNight": (8.0, "By night."), "ByDay": (2.0, "principal unknown created user unknown.")}


@pytest.mark.parametrize("text", [FLOWS, DNS], ids=["flows", "queries"])
def test_rules_may_be_over_flows_and_queries(tmp_path, text):
    detector = detector_of(tmp_path, text)
    assert [outcome.failure for outcome in outcomes(detector)] == [None, None]
    (finding,) = findings_from(detector, frame_of(detector.schema, detector.examples[0].rows))
    assert finding.resource.resource_type == "Instance"


def test_a_finding_over_flows_names_both_ends(tmp_path):
    detector = detector_of(tmp_path, FLOWS)
    (finding,) = findings_from(detector, frame_of(detector.schema, detector.examples[0].rows))
    assert finding.title == "10.0.0.5 was reached at 2026-01-12 10:00:01 UTC."
    assert (finding.action.local_ip, finding.action.local_port) == ("10.0.0.5", 23)
    assert finding.action.remote_ip == "198.51.100.7"
    assert finding.resource_role == "ACTOR"
    assert finding.severity == 4.5


WRONG = {
    "no YAML": (RULE + "  - [", "line 1[89]: not YAML"),
    "a tab": (RULE.replace("  - fires", "\t- fires"), "line 11: not YAML"),
    "a Python object": (RULE + "references: !!python/object/apply:os.system [ls]", "not YAML"),
    "a key twice": (RULE + "about: again\n", "line 18: 'about' is there twice"),
    "an unknown key": (RULE + "serverity: low\n", "line 18: Object contains unknown field `serverity`"),
    "a list": ("- 1\n", "line 1: Expected `object`, got `array`"),
    "a key of the wrong type": (RULE.replace("operations: [CreateUser]", "operations: CreateUser"), "line 5: Expected"),
    "no condition": (RULE.replace("condition:", "references: []\ncondition2:"), "unknown field `condition2`"),
    "a wrong finding type": (RULE.replace("IAMUser/", "IAMUser-"), "line 1: 'Policy:IAMUser-UserCreated' is not a"),
    "a wrong severity": (RULE.replace("severity: low", "severity: lowish"), "line 4: severity 'lowish' is not one of"),
    "a severity out of range": (RULE.replace("severity: low", "severity: 11"), "line 4: severity 11"),
    "an unknown log": (RULE.replace("cloudtrail-management", "syslog"), "line 3: Invalid enum value 'syslog'"),
    "an unknown column": (RULE.replace("api_response_error IS", "reply IS"), 'line 6: .*"reply" not found'),
    "broken SQL": (RULE.replace("IS NULL", "IS IS NULL"), "line 8: not SQL"),
    "a statement": (RULE.replace("IS NULL", "IS NULL); DROP TABLE events; --"), "line 9: not SQL"),
    "an unknown placeholder": (RULE.replace("{caller}", "{callr}"), "line 9: {callr} is not a column of api_activity"),
    "an unknown entity": (RULE + "entity: [actor_principal, nobody]\n", "line 18: api_activity has no column 'nobody'"),
    "a resource of another log": (RULE + "resource: Instance\n", "line 18: findings over cloudtrail-management cannot"),
    "operations of flows": (FLOWS + "operations: [x]\n", "line 16: `operations` are of API calls"),
    "an unknown tunable": (RULE.replace("IS NULL", "IS NULL AND 1 < $most"), r"line 8: \$most is not one of"),
    "an unknown column in an example": (
        RULE.replace("{<<: *call, api_", "{<<: *call, the_"),
        "line 17: api_activity has",
    ),
    "a number for a text": (
        RULE + "  - quiet: x\n    row: {cloud_account_uid: 111122223333}\n",
        "line 19: cloud_account",
    ),
    "a text for a time": (RULE + "  - quiet: x\n    row: {time: noon}\n", "line 19: time is 'noon': it must be a time"),
    "an example of no kind": (RULE + "  - row: {}\n", "line 18: an example has either `fires` or `quiet`"),
    "an example without rows": (RULE + "  - quiet: x\n", "line 18: an example has one of `row`, `rows` and `event`"),
    "no quiet example": (RULE.replace("quiet: the call", "fires: the call"), "line 10: `examples` must have one"),
    "two documents": (RULE + "---\nx: 1\n", "has 2 YAML documents"),
    "nothing": ("", "has 0 YAML documents"),
}


@pytest.mark.parametrize(("text", "reason"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_with_its_line(tmp_path, text, reason):
    assert re.search(reason, error_of(tmp_path, text)), error_of(tmp_path, text)


EVENT = """\
  - fires: a record as CloudTrail writes it
    severity: 2
    event:
      eventSource: iam.amazonaws.com
      eventName: CreateUser
      userIdentity: {type: IAMUser, userName: alice, accountId: "444455556666"}
      requestParameters: {userName: mallory}
"""


def test_an_example_may_be_a_record_of_cloudtrail(tmp_path):
    detector = detector_of(tmp_path, RULE + EVENT)
    assert [outcome.failure for outcome in outcomes(detector)] == [None, None, None]
    row = detector.examples[2].rows[0]
    assert row["actor_user_name"] == "alice"
    assert row["api_request_data"] == '{"userName":"mallory"}'


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("eventName: CreateUser", "eventCategory: Insight"), "line 20: not a record of CloudTrail: "),
        (("eventSource: iam.amazonaws.com", "eventTime: noon"), "line 20: not a record of CloudTrail: "),
    ],
)
def test_an_event_that_is_none_is_refused(tmp_path, change, reason):
    assert reason in error_of(tmp_path, RULE + EVENT.replace(*change))


def test_an_event_of_cloudtrail_is_no_flow(tmp_path):
    assert "`event` is a record of CloudTrail" in error_of(tmp_path, FLOWS + EVENT)


def test_aliases_that_stand_for_millions_of_values_are_refused(tmp_path):
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "stands for more than" in error_of(tmp_path, "\n".join(["l0: &l0 [x]", *levels]))


def test_values_within_values_without_end_are_refused(tmp_path):
    assert "values within each other" in error_of(tmp_path, f"a: {'[' * 100_000}")


def test_a_value_that_holds_itself_is_refused(tmp_path):
    assert "stands for more than" in error_of(tmp_path, "a: &a [*a]\n")


def test_a_huge_file_is_refused(tmp_path):
    assert "too much for rules" in error_of(tmp_path, "#" * (MOST_BYTES + 1))


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "rule.yaml"
    path.write_bytes(b"about: \xff\n")
    with pytest.raises(UsageError, match="not UTF-8 text"):
        read_document(path)
