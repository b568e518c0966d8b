"""boto3 as it is, pointed at a web server: what it sends is let in, for every operation of the model."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import boto3
import botocore.session
import pytest
from access.conftest import ACCOUNT, credentials
from access.signing import listening
from botocore.config import Config
from botocore.exceptions import ParamValidationError

from guardray.access.gate import Gate, utc_now
from guardray.access.identity import Identity, Role

MODEL = botocore.session.get_session().get_service_model("guardduty")


@pytest.fixture
def live_gate(keys, audit, seal):
    """At the time of day, since the clients are."""
    return Gate(keys, audit, seal, clock=utc_now)


@pytest.fixture(scope="module")
def server():
    with listening() as (url, got):
        yield url, got


def client_of(issued, url, **more):
    key_id, secret = credentials(issued)
    return boto3.client(
        "guardduty",
        endpoint_url=url,
        region_name="ap-southeast-2",
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}),
        **more,
    )


def example(shape: Any, depth: int = 0) -> Any:
    """A value of a shape, with what it requires, and with what has to be encoded on its way."""
    match shape.type_name:
        case "structure":
            wanted = shape.required_members if depth else list(shape.members)
            return {name: example(shape.members[name], depth + 1) for name in wanted if depth < 6}
        case "list":
            return [example(shape.member, depth + 1)] * max(1, shape.metadata.get("min", 1))
        case "map":
            return {"a key": example(shape.value, depth + 1)}
        case "string":
            return shape.enum[0] if shape.enum else "arn:aws:x/ü ~*'()+&=%41;,é"
        case "integer" | "long":
            return 7
        case "double" | "float":
            return 1.5
        case "boolean":
            return True
        case "timestamp":
            return 1_700_000_000
    raise AssertionError(shape)


@pytest.mark.parametrize("operation", sorted(MODEL.operation_names))
def test_a_request_of_boto3_is_let_in(live_gate, server, new, operation):
    url, got = server
    shape = MODEL.operation_model(operation).input_shape
    issued = new()
    call = getattr(client_of(issued, url), botocore.xform_name(operation))
    try:
        call(**(example(shape) if shape is not None else {}))
    except ParamValidationError as error:
        pytest.fail(str(error))
    identity = live_gate.admit(got.pop(), operation)
    assert identity == Identity(ACCOUNT, "ap-southeast-2", Role.ADMIN, issued.record.id)


def test_a_prefix_of_the_endpoint_is_signed_with_the_path(live_gate, server, new):
    url, got = server
    client_of(new(), f"{url}/gd/prefix").list_detectors()
    request = got.pop()
    assert request.path == "/gd/prefix/detector"
    live_gate.admit(request, "ListDetectors")


def test_a_presigned_url_of_boto3_is_let_in(live_gate, server, new):
    from urllib.request import urlopen

    url, got = server
    client = client_of(new(), url)
    with urlopen(client.generate_presigned_url("get_filter", {"DetectorId": "d1", "FilterName": "a b/c"})) as answer:
        assert answer.status == 200
    assert live_gate.admit(got.pop(), "GetFilter").region == "ap-southeast-2"


def test_a_client_that_asks_the_same_twice_in_a_second_is_let_in_twice(keys, audit, seal, new, server):
    url, got = server
    now = utc_now()
    gate = Gate(keys, audit, seal, clock=lambda: now)
    client = client_of(new(), url)
    for _ in range(20):
        client.list_detectors()
    requests = [got.pop() for _ in range(20)]
    signatures = {request.header("authorization") for request in requests}
    assert len(signatures) < 20, "boto3 was so slow that no second had two requests"
    for request in requests:
        gate.admit(request, "ListDetectors")


def test_a_client_without_a_key_is_told_so(live_gate, server):
    from botocore import UNSIGNED

    from guardray.errors import AccessRefusedError

    url, got = server
    client = boto3.client("guardduty", endpoint_url=url, region_name="x", config=Config(signature_version=UNSIGNED))
    client.list_detectors()
    with pytest.raises(AccessRefusedError) as refused:
        live_gate.admit(got.pop(), "ListDetectors")
    assert refused.value.code == "MissingAuthenticationTokenException"


def test_verifying_needs_no_client_library(tmp_path):
    program = "import sys, guardray.access.gate; print({'botocore', 'boto3', 'fastapi'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=os.environ)
    assert done.stdout.strip() == "set()", done.stderr
