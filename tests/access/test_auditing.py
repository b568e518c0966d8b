"""What the audit log keeps of parameters: enough to know what was done, and nothing that is to be kept secret."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.access.auditing import HIDDEN, ITEMS_MAX, TEXT_MAX, redacted


def kept(parameters):
    return json.loads(redacted(parameters))


def test_parameters_are_kept_as_they_are():
    parameters = {
        "name": "my-filter",
        "rank": 1,
        "findingCriteria": {"criterion": {"severity": {"gte": 7}}},
        "none": None,
    }
    assert kept(parameters) == parameters


@pytest.mark.parametrize(
    "name", ["secret", "SecretAccessKey", "password", "webhookSecret", "apiKey", "sessionToken", "Authorization"]
)
def test_what_sounds_secret_is_hidden_however_deep(name):
    assert kept({"a": [{name: "hunter2"}]}) == {"a": [{name: HIDDEN}]}


@pytest.mark.parametrize("name", ["clientToken", "nextToken", "NextToken", "destinationType"])
def test_what_only_sounds_like_it_is_kept(name):
    assert kept({name: "x"}) == {name: "x"}


def test_credentials_in_urls_are_hidden():
    assert kept({"location": "https://u:hunter2@lists.example/ips.txt?X-Amz-Signature=abc#x"}) == {
        "location": f"https://lists.example/ips.txt?{HIDDEN}"
    }
    assert kept({"location": "s3://bucket/ips.txt"}) == {"location": "s3://bucket/ips.txt"}
    assert kept({"location": "http://[hunter2"}) == {"location": HIDDEN}


def test_long_and_deep_parameters_are_cut():
    deep: dict = {}
    for _ in range(50):
        deep = {"a": deep}
    shown = kept({"text": "x" * 10_000, "list": list(range(1_000)), "deep": deep})
    assert len(shown["text"]) == TEXT_MAX + 1
    assert len(shown["list"]) == ITEMS_MAX
    assert len(json.dumps(shown["deep"])) < 100


def test_times_and_bytes_are_kept_as_text_or_hidden():
    time = datetime(2026, 11, 24, tzinfo=UTC)
    assert kept({"time": time, "bytes": b"x"}) == {"time": "2026-11-24T00:00:00Z", "bytes": HIDDEN}


TEXT = st.text(max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers(-(2**63), 2**63) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(TEXT, JSON, max_size=4))
def test_any_parameters_can_be_kept(parameters):
    assert isinstance(kept(parameters), dict)
