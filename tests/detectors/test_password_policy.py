"""Comparison of account password policies."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.detectors.iam.password_policy_change import DETECTOR
from guardray.detectors.password_policy import AWS_DEFAULT, PasswordPolicy, parse_policy, weakened
from guardray.schema import api_activity

STRONG = PasswordPolicy(
    minimum_password_length=14,
    require_symbols=True,
    require_numbers=True,
    require_uppercase_characters=True,
    require_lowercase_characters=True,
    max_password_age=90,
    password_reuse_prevention=24,
)

policies = st.builds(
    PasswordPolicy,
    minimum_password_length=st.integers(6, 128),
    require_symbols=st.booleans(),
    require_numbers=st.booleans(),
    max_password_age=st.none() | st.integers(0, 1095),
    password_reuse_prevention=st.none() | st.integers(0, 24),
)


def changed(**settings):
    return PasswordPolicy(**{name: getattr(STRONG, name) for name in STRONG.__struct_fields__} | settings)


@pytest.mark.parametrize(
    ("settings", "lowered"),
    [
        ({"minimum_password_length": 13}, ("minimum_length",)),
        ({"minimum_password_length": 15}, ()),
        ({"require_numbers": False}, ("character_classes",)),
        ({"max_password_age": 180}, ("rotation",)),
        ({"max_password_age": 30}, ()),
        ({"max_password_age": None}, ("rotation",)),
        ({"max_password_age": 0}, ("rotation",)),
        ({"password_reuse_prevention": None}, ("reuse_prevention",)),
        ({"hard_expiry": True, "allow_users_to_change_password": True}, ()),
    ],
)
def test_a_policy_is_weaker_where_it_demands_less(settings, lowered):
    assert weakened(STRONG.demands, changed(**settings).demands) == lowered


def test_a_request_that_sets_nothing_is_weaker_than_the_default_in_length_and_classes():
    """What a request leaves out is reset: 6 characters of any class, against 8 of three classes."""
    assert weakened(AWS_DEFAULT, PasswordPolicy().demands) == ("minimum_length", "character_classes")


@given(policies)
def test_a_policy_is_not_weaker_than_itself(policy):
    assert weakened(policy.demands, policy.demands) == ()


@given(policies, policies)
def test_no_demand_is_lowered_both_ways(one, other):
    there, back = weakened(one.demands, other.demands), weakened(other.demands, one.demands)
    assert not set(there) & set(back)


@given(policies, policies, policies)
def test_a_demand_that_is_lowered_twice_is_lowered_in_all(one, two, three):
    twice = set(weakened(one.demands, two.demands)) & set(weakened(two.demands, three.demands))
    assert twice <= set(weakened(one.demands, three.demands))


@pytest.mark.parametrize(
    ("request_text", "length"),
    [
        ('{"minimumPasswordLength": 9, "requireSymbols": true}', 9),
        ('{"minimumPasswordLength": "9", "requireSymbols": "true", "unknown": 1}', 9),
        ("{}", 6),
        ("null", None),
        ('{"minimumPasswordLength": "long"}', None),
        ("[]", None),
        ("{", None),
        (None, None),
    ],
)
def test_a_request_is_read_as_far_as_it_has_the_form_of_a_policy(request_text, length):
    policy = parse_policy(request_text)
    assert (policy.minimum_password_length if policy else None) == length


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_any_request_is_read_without_an_error(text):
    parse_policy(text)


def update(policy: str | None = None, **columns) -> dict:
    row = dict.fromkeys(api_activity.SCHEMA.polars) | {"api_operation": "UpdateAccountPasswordPolicy"}
    return row | {"api_request_data": policy} | columns


def delete(**columns) -> dict:
    return update(api_operation="DeleteAccountPasswordPolicy", **columns)


def test_an_attempt_that_failed_changes_nothing_that_is_known():
    known = DETECTOR.judge(update('{"minimumPasswordLength": 20}'), None).state
    attempt = DETECTOR.judge(update("{}", api_response_error="AccessDenied"), known)
    assert attempt.fires
    assert attempt.state == known


def test_deleting_a_policy_again_is_quiet_when_the_account_is_known_to_have_none():
    gone = DETECTOR.judge(delete(), None)
    assert gone.fires
    assert not DETECTOR.judge(delete(), gone.state).fires


def test_deleting_a_policy_below_the_default_is_quiet():
    known = DETECTOR.judge(update("{}"), None).state
    assert not DETECTOR.judge(delete(), known).fires


def test_a_finding_names_the_old_and_the_new_settings():
    known = DETECTOR.judge(update('{"minimumPasswordLength": 20}'), None).state
    row = update('{"minimumPasswordLength": 10}')
    details = DETECTOR.details(row | {"facts": DETECTOR.judge(row, known).facts})
    lengths = {name: policy["minimumPasswordLength"] for name, policy in details.additional_info.items()}
    assert lengths == {"oldPolicy": 20, "newPolicy": 10}
