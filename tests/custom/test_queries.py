"""Rules in SQL over batches: what they find, and that none of them disturbs another."""

from __future__ import annotations

from own_rules import query_detector

from guardray.context.enrich import enrich
from guardray.custom.queries import Budget, QueryRunner
from guardray.detectors.declare import Query
from guardray.intel.store import IndicatorStore
from guardray.schema import api_activity
from guardray.testing import findings_from, frame_of

CREATES = query_detector("A:B/Creates", Query("creates", "api_operation = 'CreateUser'"))
ENDLESS = "(WITH RECURSIVE t(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM t) SELECT count(*) FROM t) > 1"
SLOW = "list_sum(list_transform(range(20000), lambda x: x + length(api_operation))) > 0"


def batch(*rows, indicators=None):
    return enrich(frame_of(api_activity.SCHEMA, rows), api_activity.SCHEMA, indicators or IndicatorStore())


def call(operation: str, request: str | None = None, **columns):
    return {"api_operation": operation, "api_request_data": request, **columns}


def found(runner: QueryRunner, frame) -> dict[str, list[str]]:
    """Each rule that fires with the names of the conditions, row by row."""
    return {detector.finding_type: hits["rule"].to_list() for detector, hits in runner.hits(frame)[0]}


def test_rules_fire_for_the_rows_where_their_condition_is_true():
    hits, problems = QueryRunner([CREATES]).hits(batch(call("CreateUser"), call("DeleteUser"), call("CreateUser")))
    ((detector, rows),) = hits
    assert detector is CREATES
    assert rows["event_hash"].to_list() == [0, 2]
    assert problems == []


def test_a_rule_that_fires_for_nothing_is_not_named():
    assert found(QueryRunner([CREATES]), batch(call("DeleteUser"))) == {}


def test_null_counts_as_false():
    of_errors = query_detector("A:B/C", Query("errors", "api_response_error <> 'x'"))
    assert found(QueryRunner([of_errors]), batch(call("X"))) == {}


def test_a_row_has_the_name_of_the_first_condition_that_is_true_whether_it_names_operations_or_not():
    detector = query_detector(
        "A:B/C",
        Query("of all", "api_operation = 'CreateUser'"),
        Query("of one", "json_text(api_request_data, 'a') = 'x'", frozenset({"createuser", "deleteuser"})),
    )
    rows = (call("CreateUser", '{"a": "x"}'), call("DeleteUser", '{"a": "x"}'), call("DeleteUser"))
    assert found(QueryRunner([detector]), batch(*rows)) == {"A:B/C": ["of all", "of one"]}


def test_operations_are_compared_without_case_and_keep_other_calls_out():
    detector = query_detector("A:B/C", Query("x", "true", frozenset({"createuser"})))
    assert found(QueryRunner([detector]), batch(call("CREATEUSER"), call("Other"), call(None))) == {"A:B/C": ["x"]}


def test_nothing_is_found_on_what_is_trusted():
    trusted = IndicatorStore.of({"198.51.100.7": "trusted"})
    rows = (call("CreateUser", src_endpoint_ip="198.51.100.7"), call("CreateUser", src_endpoint_ip="198.51.100.8"))
    assert found(QueryRunner([CREATES]), batch(*rows, indicators=trusted)) == {"A:B/Creates": ["creates"]}


def test_damaged_json_leaves_the_other_rows():
    detector = query_detector("A:B/C", Query("x", "json_text(api_request_data, 'a') = 'x'"))
    frame = batch(call("A", '{"a": "x"'), call("A", '{"a": "x"}'), call("A", None))
    hits, problems = QueryRunner([detector]).hits(frame)
    assert hits[0][1]["event_hash"].to_list() == [1]
    assert problems == []


def test_a_broken_rule_is_named_once_and_the_others_go_on():
    runner = QueryRunner([query_detector("A:B/Broken", Query("x", "no_column = 3")), CREATES])
    frame = batch(call("CreateUser"))
    hits, problems = runner.hits(frame)
    assert [detector.finding_type for detector, _ in hits] == ["A:B/Creates"]
    assert [problem.finding_type for problem in problems] == ["A:B/Broken"]
    assert "disabled, since it fails" in problems[0].reason
    assert "no_column" in problems[0].reason
    assert runner.hits(frame)[1] == []


def test_a_rule_that_fails_on_one_row_still_sees_the_others_and_says_so_once():
    detector = query_detector("A:B/C", Query("x", "json_text(api_request_data, 'port')::INTEGER = 22"))
    runner = QueryRunner([detector, CREATES])
    frame = batch(call("A", '{"port": "ssh"}'), call("A", '{"port": 22}'), call("CreateUser", '{"port": 23}'))
    for expected in (["fails on some rows"], []):
        hits, problems = runner.hits(frame)
        assert {detector.finding_type: rows.height for detector, rows in hits} == {"A:B/C": 1, "A:B/Creates": 1}
        assert all(text in problem.reason for text, problem in zip(expected, problems, strict=True))


def test_an_endless_rule_is_ended_and_disabled():
    runner = QueryRunner([query_detector("A:B/Endless", Query("x", ENDLESS)), CREATES], Budget(limit_s=0.5))
    frame = batch(call("CreateUser"))
    hits, problems = runner.hits(frame)
    assert [detector.finding_type for detector, _ in hits] == ["A:B/Creates"]
    assert [str(problem) for problem in problems] == [
        "A:B/Endless: disabled, since it took more than 0.5 s for a batch"
    ]
    assert runner.hits(frame)[1] == []


def test_a_slow_rule_is_disabled_after_some_batches_and_the_others_stay():
    budget = Budget(per_row_s=0, per_batch_s=0.02, strikes=3)
    runner = QueryRunner([query_detector("A:B/Slow", Query("x", SLOW)), CREATES], budget)
    frame = batch(*[call("CreateUser")] * 500)
    told = [[str(problem) for problem in runner.hits(frame)[1]] for _ in range(4)]
    assert told[:2] == [[], []]
    assert len(told[2]) == 1
    assert told[2][0].startswith("A:B/Slow: disabled, since it took more than")
    assert found(runner, frame) == {"A:B/Creates": ["creates"] * 500}


def test_a_condition_among_several_is_named_when_it_fails():
    detector = query_detector("A:B/C", Query("good", "true"), Query("bad", "no_column"))
    _, problems = QueryRunner([detector]).hits(batch(call("X")))
    assert problems[0].reason.startswith("bad: disabled")


def test_two_runners_of_one_process_do_not_see_each_others_batches():
    one, other = QueryRunner([CREATES]), QueryRunner([CREATES])
    assert found(one, batch(call("CreateUser"), call("CreateUser"))) == {"A:B/Creates": ["creates", "creates"]}
    assert found(other, batch(call("CreateUser"))) == {"A:B/Creates": ["creates"]}
    assert found(one, batch(call("X"))) == {}


def test_findings_are_kept_apart_by_condition_where_the_entity_says_so():
    detector = query_detector(
        "A:B/C", Query("creates", "api_operation = 'CreateUser'"), Query("deletes", "api_operation = 'DeleteUser'")
    )
    frame = frame_of(api_activity.SCHEMA, [call("CreateUser"), call("DeleteUser"), call("DeleteUser")])
    assert {finding.title: finding.count for finding in findings_from(detector, frame)} == {"creates": 1, "deletes": 2}
