"""Formats told from content."""

from __future__ import annotations

import gzip
import json

import pytest
from source_samples import event, json_lines, log_file

from guardray.sources.sniff import HEAD_BYTES, Format, Unknown, sniff

QUERY = {
    "version": "1.1",
    "account_id": "111122223333",
    "query_timestamp": "2024-05-01T10:30:00Z",
    "query_name": "a.example.",
}
FLOW = "2 111122223333 eni-0abc 10.0.0.1 10.0.0.2 443 49152 6 10 840 1714559400 1714559460 ACCEPT OK"
HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
)


@pytest.mark.parametrize(
    ("text", "format_"),
    [
        (b"", Format.EMPTY),
        (b" \n\r\n", Format.EMPTY),
        (log_file(event()), Format.CLOUDTRAIL_DOCUMENT),
        (log_file(*[event()] * 1000)[:HEAD_BYTES], Format.CLOUDTRAIL_DOCUMENT),
        (json.dumps(event(), indent=1).encode(), Format.CLOUDTRAIL_DOCUMENT),
        (json_lines(event()), Format.CLOUDTRAIL_DOCUMENT),
        (json_lines(*[event()] * 100)[:HEAD_BYTES], Format.CLOUDTRAIL_LINES),
        (b"2024-05-01T10:31:02.123Z " + json_lines(event()), Format.CLOUDTRAIL_LINES),
        (json_lines(QUERY), Format.RESOLVER_LINES),
        (b"2024-05-01T10:31:02.123Z " + json_lines(QUERY), Format.RESOLVER_LINES),
        (json_lines({"message": json.dumps(QUERY)}), Format.RESOLVER_LINES),
        (json_lines({"message": QUERY}), Format.RESOLVER_LINES),
        (f"{HEADER}\n{FLOW}\n".encode(), Format.FLOW_TEXT),
        (b"dstaddr srcaddr action\n", Format.FLOW_TEXT),
        (f"{FLOW}\n".encode(), Format.FLOW_TEXT),
        (b"2 111122223333 eni-0abc - - - - - - - 1714559400 1714559460 - NODATA\n", Format.FLOW_TEXT),
        (f"damaged first li\n{FLOW}\n".encode(), Format.FLOW_TEXT),
        (b'{"awsAccountId":"111122223333","digestStartTime":"2024-05-01T10:00:00Z"}', Format.PASSED_OVER),
        (b'{"fileVersion":"1.0","configurationItems":[]}', Format.PASSED_OVER),
    ],
)
def test_a_format_is_told_from_its_first_bytes(text, format_):
    assert sniff(text) is format_


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (log_file(event()).decode().encode("utf-16"), "UTF-16"),
        (log_file(event()).decode().encode("utf-16-le"), "UTF-16"),
        (log_file(event()).decode().encode("utf-16-be"), "UTF-16"),
        (gzip.compress(b"{}", mtime=0), "gzip inside gzip"),
        (b"(\xb5/\xfd....", "zstandard"),
        (b"PK\x03\x04....", "zip"),
        (b"BZh9....", "bzip2"),
        (b"\x7fELF\x02\x01\x01" + bytes(100), "binary"),
        (b"just some words\nand more\n", "no known log format"),
        (b'{"level":"info","msg":"started"}\n', "no known log format"),
        (b" " * HEAD_BYTES, "no known log format"),
        (bytes(range(256)) * 4, "no known log format"),
        (b"[" * 60_000, "no known log format"),
    ],
)
def test_other_content_is_refused_with_a_reason(text, reason):
    found = sniff(text)
    assert isinstance(found, Unknown)
    assert reason in found.reason
