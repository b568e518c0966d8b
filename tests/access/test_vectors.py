"""Cases of the kind that AWS's test suite for Signature Version 4 has, with botocore as the one who knows."""

from __future__ import annotations

import hmac

import pytest
from access.conftest import credentials
from access.signing import signed
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from guardray.access.canonical import string_to_sign
from guardray.access.claims import claim_of
from guardray.access.sigv4 import _derived

CASES = {
    "nothing but a path": {"target": "/"},
    "a query": {"target": "/detector?maxResults=5&nextToken=abc"},
    "names of a query out of order": {"target": "/detector?b=2&a=1&C=3"},
    "values of a query out of order": {"target": "/tags/x?tagKeys=b&tagKeys=a&tagKeys=B"},
    "an empty value": {"target": "/detector?nextToken="},
    "a query with escapes": {"target": "/detector?nextToken=a%2Fb%3D%3D%2B%20%7E"},
    "unreserved characters": {"target": "/-._~0123456789?-._~=-._~"},
    "characters beyond ASCII": {"target": "/detector/d/filter/%E1%88%B4?a=%C3%BC"},
    "a space": {"target": "/detector/d/filter/a%20b"},
    "an ARN as one segment": {"target": "/tags/arn%3Aaws%3Aguardduty%3Aeu-west-1%3A1%3Adetector%2Fx"},
    "characters of a path that are not encoded": {"target": "/a/b;c=1,d'e(f)*!$&+@:"},
    "a slash at the end": {"target": "/detector/d/ipset/"},
    "a body": {"method": "POST", "target": "/detector", "body": b'{"enable": true}'},
    "a body beyond ASCII": {"method": "POST", "target": "/detector", "body": '{"a": "ü"}'.encode()},
    "an empty body": {"method": "POST", "target": "/detector/d/administrator/disassociate"},
    "a header with blanks around and between": {"headers": {"X-Amz-Note": "  a   b \t c  "}},
    "headers out of order": {"headers": {"X-Amz-B": "2", "X-Amz-A": "1", "Accept": "*/*"}},
    "a header without a value": {"headers": {"X-Amz-Empty": ""}},
    "the hash of the body in a header": {
        "headers": {"X-Amz-Content-SHA256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}
    },
    "each method": {"method": "PATCH", "target": "/malware-protection-plan/p", "body": b"{}"},
}

BODILESS = {name: case for name, case in CASES.items() if "body" not in case}
"""botocore moves a body into the query when it presigns."""


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_botocore_signs_is_let_in(gate, new, clock, case):
    gate.admit(signed(credentials(new()), clock.now, **case), "ListDetectors")


@pytest.mark.parametrize("case", BODILESS.values(), ids=BODILESS)
def test_what_botocore_presigns_is_let_in(gate, new, clock, case):
    gate.admit(signed(credentials(new()), clock.now, presigned_for_s=60, **case), "ListDetectors")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_string_to_sign_is_botocores(new, clock, case):
    request = signed(credentials(new()), clock.now, **case)
    claim = claim_of(request)
    theirs = SigV4Auth(Credentials("GRAKTEST", "secret"), "guardduty", claim.region)
    wire = AWSRequest(request.method, f"http://localhost:8000{request.path}?{request.query}", data=request.body)
    for name in claim.signed_headers:
        wire.headers[name] = request.header(name)
    wire.context["timestamp"] = claim.time
    assert string_to_sign(request, claim).decode() == theirs.string_to_sign(wire, theirs.canonical_request(wire))


def test_the_chain_of_keys_is_the_one_that_aws_describes():
    """Key of the secret, then of the day, the Region, the service, and the end, each by HMAC of the one before."""
    expected = b"AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    for part in (b"20150830", b"us-east-1", b"guardduty", b"aws4_request"):
        expected = hmac.digest(expected, part, "sha256")
    assert _derived("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830", "us-east-1") == expected
