"""What attackers try at the gate, one line each, and the answer that AWS's own front ends give."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from access.conftest import credentials
from access.signing import REGION, signed, with_header, without_header

from guardray.access.refusals import answer
from guardray.access.request import Request
from guardray.errors import AccessRefusedError

BODY = b'{"maxResults": 5}'
TARGET = "/detector/12abc34d567e8fa901bc2d34e56789f0/findings"

UNSIGNED = "MissingAuthenticationTokenException"
UNKNOWN = "UnrecognizedClientException"
INCOMPLETE = "IncompleteSignatureException"
INVALID = "InvalidSignatureException"
MALFORMED = "MalformedHttpRequestException"


@pytest.fixture
def key(new):
    return credentials(new())


@pytest.fixture
def sign(key, clock):
    """Signs with the key, now, unless the test says otherwise."""

    def make(**more) -> Request:
        usual = {"key": key, "now": clock.now, "method": "POST", "target": TARGET, "body": BODY}
        return signed(**(usual | more))

    return make


@pytest.fixture
def refused(gate):
    """The code that a request is refused with."""

    def code_of(request: Request, operation: str = "ListFindings") -> str:
        with pytest.raises(AccessRefusedError) as caught:
            gate.admit(request, operation)
        return caught.value.code

    return code_of


def test_a_request_as_it_should_be_is_let_in(gate, sign):
    assert gate.admit(sign(), "ListFindings").region == REGION


class TestNoCredentials:
    def test_no_signature(self, sign, refused):
        assert refused(without_header(sign(), "authorization")) == UNSIGNED

    def test_an_empty_authorization(self, sign, refused):
        assert refused(with_header(sign(), "authorization", "")) == INCOMPLETE

    @pytest.mark.parametrize(
        "scheme", ["Basic dXNlcjpwYXNz", "Bearer abc", "AWS AKID:sig", "AWS4-HMAC-SHA512 Credential=a"]
    )
    def test_another_scheme(self, sign, refused, scheme):
        assert refused(with_header(sign(), "authorization", scheme)) == INCOMPLETE

    def test_the_asymmetric_signature_of_several_regions(self, sign, refused):
        request = sign()
        changed = request.header("authorization").replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256")
        assert refused(with_header(request, "authorization", changed)) == INCOMPLETE


class TestKeys:
    def test_a_key_that_nobody_has(self, sign, refused):
        assert refused(sign(key=("GRAKAAAAAAAAAAAAAAAA", "secret"))) == UNKNOWN

    def test_a_key_with_the_secret_of_another(self, sign, refused, key, new):
        assert refused(sign(key=(key[0], new().secret))) == INVALID

    def test_an_empty_secret(self, sign, refused, key):
        assert refused(sign(key=(key[0], ""))) == INVALID

    def test_a_revoked_key(self, sign, refused, key, keys, clock):
        from guardray.access.issue import revoke

        revoke(keys, key[0], actor="local:test", now=clock.now)
        assert refused(sign()) == UNKNOWN

    def test_a_token_used_as_a_key(self, sign, refused, new):
        token = new(kind="token")
        assert refused(sign(key=(token.record.id, token.secret.partition(".")[2]))) == UNKNOWN

    @pytest.mark.parametrize("key_id", ["' OR 1=1 --", "../../etc/passwd", "%00", "a" * 200, "", "*"])
    def test_an_id_that_is_none(self, sign, refused, key_id):
        assert refused(sign(key=(key_id, "secret"))) in {INCOMPLETE, UNKNOWN}

    def test_a_session_token_in_a_header(self, sign, refused):
        assert refused(sign(token="FwoGZXIvYXdzEBYaD")) == UNKNOWN

    def test_a_session_token_in_a_presigned_query(self, sign, refused):
        assert refused(sign(method="GET", body=b"", token="FwoGZXIvYXdzEBYaD", presigned_for_s=60)) == UNKNOWN


class TestScope:
    def test_another_service(self, sign, refused):
        assert refused(sign(service="s3")) == INVALID

    def test_a_region_that_was_not_signed_for(self, sign, refused):
        request = sign()
        changed = request.header("authorization").replace(REGION, "us-east-1")
        assert refused(with_header(request, "authorization", changed)) == INVALID

    @pytest.mark.parametrize("region", ["", "EU-WEST-1", "eu west", "a" * 40, "eu-west-1%2F..", "*"])
    def test_what_is_no_region(self, sign, refused, region):
        assert refused(sign(region=region)) == INVALID

    def test_a_region_that_the_key_is_not_good_for(self, sign, refused, new):
        bound = credentials(new(regions=["us-east-1"]))
        assert refused(sign(key=bound)) == "AccessDeniedException"

    def test_a_day_that_is_not_the_days_of_the_time(self, sign, refused):
        request = sign()
        changed = request.header("authorization").replace("/20261124/", "/20261123/")
        assert refused(with_header(request, "authorization", changed)) == INVALID


class TestTime:
    @pytest.mark.parametrize("minutes", [-5, -4.9, 0, 4.9, 5])
    def test_a_clock_that_is_a_little_off_is_let_in(self, gate, sign, clock, minutes):
        request = sign()
        clock.move(minutes=minutes)
        gate.admit(request, "ListFindings")

    @pytest.mark.parametrize("minutes", [5.1, 60, 60 * 24 * 365])
    def test_an_old_request(self, sign, refused, clock, minutes):
        request = sign()
        clock.move(minutes=minutes)
        assert refused(request) == INVALID

    @pytest.mark.parametrize("minutes", [5.1, 60])
    def test_a_request_from_the_future(self, sign, refused, clock, minutes):
        request = sign()
        clock.move(minutes=-minutes)
        assert refused(request) == INVALID

    def test_an_old_request_with_a_new_date(self, sign, refused, clock):
        request = sign()
        clock.move(hours=1)
        assert refused(with_header(request, "x-amz-date", "20261124T130000Z")) == INVALID

    @pytest.mark.parametrize("time", ["", "now", "20261324T120000Z", "2026-11-24T12:00:00Z", "20261124T120000"])
    def test_what_is_no_time(self, sign, refused, time):
        assert refused(with_header(sign(), "x-amz-date", time)) == INCOMPLETE

    def test_no_time(self, sign, refused):
        assert refused(without_header(sign(), "x-amz-date")) == INCOMPLETE

    def test_a_presigned_request_after_its_end(self, sign, refused, clock):
        request = sign(method="GET", body=b"", presigned_for_s=30)
        clock.move(seconds=31)
        assert refused(request) == INVALID

    def test_a_presigned_request_that_says_to_be_good_for_a_week(self, sign, refused, clock):
        request = sign(method="GET", body=b"", presigned_for_s=604_800)
        clock.move(minutes=6)
        assert refused(request) == INVALID

    @pytest.mark.parametrize("seconds", [0, -1, 604_801, "1e9", ""])
    def test_a_presigned_request_without_a_sensible_end(self, sign, refused, seconds):
        assert refused(sign(method="GET", body=b"", presigned_for_s=seconds)) == INCOMPLETE


class TestBody:
    def test_another_body(self, sign, refused):
        assert refused(replace(sign(), body=b'{"maxResults": 6}')) == INVALID

    def test_no_body(self, sign, refused):
        assert refused(replace(sign(), body=b"")) == INVALID

    @pytest.mark.parametrize("claimed", ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "", "0" * 64])
    def test_a_body_that_is_not_signed(self, sign, refused, claimed):
        assert refused(sign(headers={"X-Amz-Content-SHA256": claimed})) == INVALID

    def test_another_body_with_its_own_hash(self, sign, refused):
        request = sign(headers={"X-Amz-Content-SHA256": hashlib.sha256(BODY).hexdigest()})
        other = replace(request, body=b"{}")
        assert refused(with_header(other, "x-amz-content-sha256", hashlib.sha256(b"{}").hexdigest())) == INVALID


class TestHeaders:
    @pytest.mark.parametrize("name", ["host", "x-amz-date", "authorization", "content-type", "content-length"])
    def test_a_header_that_is_there_twice(self, sign, refused, name):
        request = sign()
        twice = replace(request, headers=(*request.headers, (name, "x"), (name, "y")))
        assert refused(twice) == MALFORMED

    @pytest.mark.parametrize("name", ["x-amz-note", "x-amz-content-sha256", "x-amz-target"])
    def test_a_header_of_amazons_that_was_added(self, sign, refused, name):
        value = hashlib.sha256(BODY).hexdigest()
        assert refused(with_header(sign(), name, value)) == INVALID

    def test_a_content_type_that_was_added(self, sign, refused):
        assert refused(with_header(sign(method="GET", body=b""), "content-type", "text/xml")) == INVALID

    @pytest.mark.parametrize("name", ["host", "x-amz-date", "content-type"])
    def test_a_signature_that_leaves_a_header_out(self, sign, refused, name):
        request = sign()
        names = request.header("authorization").partition("SignedHeaders=")[2].partition(",")[0]
        fewer = ";".join(one for one in names.split(";") if one != name)
        changed = request.header("authorization").replace(names, fewer)
        assert refused(with_header(request, "authorization", changed)) == INVALID

    @pytest.mark.parametrize(
        "names", ["host;host;x-amz-date", "x-amz-date;host", "", ";", "Host;X-Amz-Date", "host;nosuch"]
    )
    def test_names_of_signed_headers_that_are_not_as_they_should_be(self, sign, refused, names):
        request = sign()
        old = request.header("authorization").partition("SignedHeaders=")[2].partition(",")[0]
        changed = request.header("authorization").replace(f"SignedHeaders={old}", f"SignedHeaders={names}")
        assert refused(with_header(request, "authorization", changed)) == INVALID

    def test_another_host(self, sign, refused):
        assert refused(with_header(sign(), "host", "evil.example")) == INVALID

    def test_a_huge_header(self, sign, refused):
        assert refused(with_header(sign(), "x-note", "a" * 20_000)) == MALFORMED

    def test_very_many_headers(self, sign, refused):
        request = sign()
        assert refused(replace(request, headers=(*request.headers, *((f"x-{n}", "") for n in range(200))))) == MALFORMED

    @pytest.mark.parametrize("value", ["a\r\nx: b", "a\nb", "a\0b"])
    def test_a_header_that_smuggles_another(self, sign, refused, value):
        assert refused(with_header(sign(), "x-note", value)) == MALFORMED

    @pytest.mark.parametrize("part", ["Credential", "SignedHeaders", "Signature"])
    def test_an_authorization_that_lacks_a_part_or_has_it_twice(self, sign, refused, part):
        request = sign()
        algorithm, _, rest = request.header("authorization").partition(" ")
        parts = rest.split(", ")
        fewer = ", ".join(one for one in parts if not one.startswith(f"{part}="))
        more = ", ".join([*parts, *(one for one in parts if one.startswith(f"{part}="))])
        for changed in (fewer, more):
            assert refused(with_header(request, "authorization", f"{algorithm} {changed}")) == INCOMPLETE


class TestPathAndQuery:
    @pytest.mark.parametrize(
        "path", ["//detector", "/./detector", "/x/../detector", "/detector/..", "/detector//findings"]
    )
    def test_a_path_that_leads_to_what_was_signed_by_another_way(self, sign, refused, path):
        assert refused(replace(sign(method="GET", target="/detector", body=b""), path=path)) == "BadRequestException"

    @pytest.mark.parametrize("path", ["/%64etector", "/detector/", "/detector%2F", "/DETECTOR", "/%2e%2e/detector"])
    def test_a_path_that_decodes_to_what_was_signed(self, sign, refused, path):
        assert refused(replace(sign(method="GET", target="/detector", body=b""), path=path)) == INVALID

    @pytest.mark.parametrize("path", ["", "detector", "/a b", "/\x00", "/ü", "http://x/detector"])
    def test_a_path_that_is_none(self, sign, refused, path):
        assert refused(replace(sign(), path=path)) == MALFORMED

    @pytest.mark.parametrize("query", ["a=1", "=", "&", "maxResults=5&maxResults=50"])
    def test_a_query_that_was_added(self, sign, refused, query):
        assert refused(replace(sign(), query=query)) == INVALID

    def test_a_huge_path_or_query(self, sign, refused):
        assert refused(replace(sign(), path="/" + "a" * 5_000)) == MALFORMED
        assert refused(replace(sign(), query="a=" + "b" * 40_000)) == MALFORMED

    def test_a_signature_in_the_header_and_another_in_the_query(self, sign, refused):
        presigned = sign(method="GET", body=b"", presigned_for_s=60)
        header = sign(method="GET", body=b"").header("authorization")
        assert refused(with_header(presigned, "authorization", header)) == INCOMPLETE

    @pytest.mark.parametrize("name", ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"])
    def test_a_presigned_query_that_lacks_a_parameter_or_has_it_twice(self, sign, refused, name):
        request = sign(method="GET", body=b"", presigned_for_s=60)
        pairs = request.query.split("&")
        (one,) = (pair for pair in pairs if pair.startswith(f"X-Amz-{name}="))
        assert refused(replace(request, query="&".join(pair for pair in pairs if pair != one))) == INCOMPLETE
        assert refused(replace(request, query=f"{request.query}&{one}")) == INCOMPLETE


class TestReplay:
    def test_the_very_same_request(self, gate, sign, refused):
        request = sign()
        gate.admit(request, "ListFindings")
        assert refused(request) == INVALID

    def test_the_same_read_under_another_name_of_the_call_after_a_moment(self, gate, sign, refused, clock):
        gate.admit(sign(), "ListFindings")
        again = with_header(sign(), "amz-sdk-invocation-id", "another")
        clock.move(seconds=3)
        assert refused(again) == INVALID

    def test_the_same_change_under_another_name_of_the_call(self, gate, sign, refused):
        gate.admit(sign(), "ArchiveFindings")
        again = with_header(sign(), "amz-sdk-invocation-id", "another")
        assert refused(again, "ArchiveFindings") == INVALID

    def test_a_presigned_url_is_good_once(self, gate, sign, refused, clock):
        request = sign(method="GET", body=b"", presigned_for_s=300)
        gate.admit(request, "ListFilters")
        clock.move(minutes=4)
        assert refused(request, "ListFilters") == INVALID

    def test_just_before_it_is_too_old(self, gate, sign, refused, clock):
        request = sign()
        gate.admit(request, "ListFindings")
        clock.move(minutes=5)
        assert refused(request) == INVALID

    def test_a_request_from_a_clock_that_is_ahead_for_as_long_as_it_is_good(self, gate, sign, refused, clock):
        request = sign()
        clock.move(minutes=-5)
        gate.admit(request, "ListFindings")
        clock.move(minutes=9.9)
        assert refused(request) == INVALID


def test_every_refusal_is_one_that_botocore_reads(gate, sign):
    from botocore.parsers import RestJSONParser

    with pytest.raises(AccessRefusedError) as caught:
        gate.admit(without_header(sign(), "authorization"), "ListFindings")
    headers, body = answer(caught.value, "r-1")
    response = {"status_code": caught.value.status, "headers": {k.lower(): v for k, v in headers.items()}, "body": body}
    parsed = RestJSONParser().parse(response, None)
    assert parsed["Error"] == {"Code": UNSIGNED, "Message": "Missing Authentication Token"}
    assert parsed["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert parsed["ResponseMetadata"]["RequestId"] == "r-1"
    assert json.loads(body)["__type"] == UNSIGNED


def test_no_refusal_tells_a_secret(gate, sign, key):
    request = with_header(sign(), "host", "evil.example")
    with pytest.raises(AccessRefusedError) as caught:
        gate.admit(request, "ListFindings")
    assert key[1] not in str(caught.value)
    assert key[1] not in repr(gate._keyring._loaded)
