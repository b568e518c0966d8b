"""A request that was altered anywhere after it was signed is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from access.conftest import credentials
from access.signing import signed
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from guardray.access.request import Request
from guardray.errors import AccessRefusedError

BODY = b'{"findingCriteria": {"criterion": {"type": {"eq": ["a"]}}}, "maxResults": 50}'
TARGET = "/detector/12abc34d567e8fa901bc2d34e56789f0/findings?a=1&b=%2F&c=x~y"

altering = settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def request_(new, clock) -> Request:
    headers = {"X-Amz-Note": "as it was"}
    return signed(credentials(new()), clock.now, method="POST", target=TARGET, body=BODY, headers=headers)


@pytest.fixture
def presigned(new, clock) -> Request:
    return signed(credentials(new()), clock.now, target=TARGET, presigned_for_s=60)


def refused(gate, request: Request) -> None:
    with pytest.raises(AccessRefusedError):
        gate.admit(request, "ListFindings")


@st.composite
def alterations(draw, text: str) -> str:
    """The text with one character changed, left out or put in: any that can be in a request."""
    position = draw(st.integers(0, len(text) - 1))
    put = draw(st.sampled_from(["", draw(st.characters(min_codepoint=0, max_codepoint=255))]))
    altered = text[:position] + put + text[position + draw(st.integers(0, 1)) :]
    assume(altered != text)
    return altered


@altering
@given(data=st.data())
def test_any_character_of_the_path(gate, request_, data):
    refused(gate, replace(request_, path=data.draw(alterations(request_.path))))


@altering
@given(data=st.data())
def test_any_character_of_the_query(gate, request_, data):
    altered = data.draw(alterations(request_.query))
    # Signature Version 4 sorts the query, so its order means nothing.
    assume(sorted(altered.split("&")) != sorted(request_.query.split("&")))
    refused(gate, replace(request_, query=altered))


@altering
@given(data=st.data())
def test_any_character_of_a_presigned_query(gate, presigned, data):
    refused(gate, replace(presigned, query=data.draw(alterations(presigned.query))))


@altering
@given(data=st.data())
def test_any_byte_of_the_body(gate, request_, data):
    altered = data.draw(alterations(request_.body.decode("latin-1")))
    refused(gate, replace(request_, body=altered.encode("latin-1")))


@altering
@given(data=st.data())
def test_any_character_of_a_signed_header(gate, request_, data):
    name = data.draw(st.sampled_from(["host", "x-amz-date", "content-type", "x-amz-note"]))
    value = request_.header(name)
    altered = data.draw(alterations(value))
    # Blanks around a value mean nothing, and several mean one.
    assume([word for word in altered.replace("\t", " ").split(" ") if word] != value.split(" "))
    headers = tuple((one, altered if one == name else old) for one, old in request_.headers)
    refused(gate, replace(request_, headers=headers))


@altering
@given(data=st.data())
def test_any_character_of_the_signature_key_or_scope(gate, request_, data):
    value = request_.header("authorization")
    altered = data.draw(alterations(value))
    # Blanks between the parts, after commas, mean nothing.
    blanks = str.maketrans("", "", " \t")
    assume(altered.translate(blanks) != value.translate(blanks))
    headers = tuple((one, altered if one == "authorization" else old) for one, old in request_.headers)
    refused(gate, replace(request_, headers=headers))


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "post", ""])
def test_the_method(gate, request_, method):
    refused(gate, replace(request_, method=method))


@altering
@given(method=st.text(), path=st.text(), query=st.text(), headers=st.lists(st.tuples(st.text(), st.text())))
def test_what_is_no_request_is_refused_and_nothing_else_happens(gate, method, path, query, headers):
    refused(gate, Request(method, path, query, tuple(headers), b""))


@altering
@given(authorization=st.from_regex(r"AWS4-HMAC-SHA256 (Credential=|SignedHeaders=|Signature=|[a-z0-9/;, =])*"))
def test_what_looks_like_a_signature_is_refused_and_nothing_else_happens(gate, request_, authorization):
    headers = tuple((one, authorization if one == "authorization" else old) for one, old in request_.headers)
    refused(gate, replace(request_, headers=headers))
