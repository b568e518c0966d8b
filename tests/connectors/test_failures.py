"""What becomes of an object that cannot be read, told from errors as they really come."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from guardray.connectors.failures import failure_of
from guardray.connectors.retries import LONGEST_WAIT, wait_before
from guardray.connectors.source import Failure
from guardray.errors import SourceError
from guardray.sources import s3
from guardray.sources.fetching import open_object
from guardray.sources.objects import InputObject


def failure(url: str, endpoint: str | None = None) -> Failure:
    with pytest.raises(SourceError) as raised:
        open_object(InputObject(url=url), endpoint).close()
    return failure_of(raised.value.reason)


def test_an_object_or_bucket_that_is_gone_is_missing(aws, bucket):
    assert failure(f"s3://{bucket}/gone", aws) is Failure.MISSING
    assert failure("s3://no-such-bucket-here/gone", aws) is Failure.MISSING


def test_an_object_that_a_policy_denies_is_denied(aws, bucket, client):
    client("s3").put_object(Bucket=bucket, Key="kept", Body=b"x")
    resource = f"arn:aws:s3:::{bucket}/*"
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": resource}
    client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    assert failure(f"s3://{bucket}/kept", aws) is Failure.DENIED


@pytest.fixture
def answering(monkeypatch, aws) -> Any:
    """A store that gives one answer to everything."""
    monkeypatch.setattr(s3, "_ATTEMPTS", 1)
    s3._client.cache_clear()
    servers = []

    def serve(status: int, code: str) -> str:
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        servers.append(server)
        threading.Thread(target=server.serve_forever).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()
    s3._client.cache_clear()


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (503, "SlowDown", Failure.THROTTLED),
        (503, "ServiceUnavailable", Failure.THROTTLED),
        (500, "InternalError", Failure.THROTTLED),
        (400, "RequestTimeout", Failure.THROTTLED),
        (403, "AccessDenied", Failure.DENIED),
        (403, "ExpiredToken", Failure.DENIED),
        (403, "InvalidObjectState", Failure.DENIED),
        (404, "NoSuchKey", Failure.MISSING),
    ],
)
def test_a_stores_answer_decides(status, code, expected, answering):
    assert failure("s3://trail/k", answering(status, code)) is expected


def test_a_store_out_of_reach_is_tried_again(monkeypatch, aws):
    monkeypatch.setattr(s3, "_ATTEMPTS", 1)
    s3._client.cache_clear()
    assert failure("s3://trail/k", "http://127.0.0.1:1") is Failure.THROTTLED
    s3._client.cache_clear()


def test_a_file_that_is_gone_is_missing(tmp_path):
    assert failure(str(tmp_path / "gone")) is Failure.MISSING


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("Permission denied", Failure.DENIED),
        ("Unable to locate credentials", Failure.DENIED),
        ("Input/output error", Failure.THROTTLED),
        ("gzip ends early: the file is truncated", Failure.BROKEN),
        ("no known log format", Failure.BROKEN),
    ],
)
def test_other_reasons_decide_too(reason, expected):
    assert failure_of(reason) is expected


def test_what_is_gone_or_broken_is_done_with_and_the_rest_comes_again():
    assert [failure for failure in Failure if failure.comes_again] == [Failure.DENIED, Failure.THROTTLED]


def test_waits_double_up_to_a_bound():
    waits = [wait_before(attempt, Failure.DENIED) for attempt in range(1, 100)]
    assert waits[1] == 2 * waits[0]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT
