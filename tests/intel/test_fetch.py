"""Fetching a feed from a real server, with all that servers do wrong."""

from __future__ import annotations

import socket
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intel.feed_server import cut_chunk, drip, endless, half, ok, redirect, running, silent, status

from guardray import hosts
from guardray.errors import FeedError
from guardray.hosts import is_public
from guardray.intel.fetch import fetch
from guardray.intel.fetched import Limits, Seen

LIST = b"198.51.100.7\n203.0.113.0/24\n"
QUICK = Limits(connect_s=2, read_s=0.4, total_s=0.8, max_bytes=100_000)


@pytest.fixture(scope="module")
def server():
    with running() as feeds:
        yield feeds


def had(url, **options):
    return fetch(url, allow_private_addresses=True, **options)


def why_not(url, **options):
    with pytest.raises(FeedError) as caught:
        had(url, limits=QUICK, **options)
    assert caught.value.url == url
    return caught.value.reason


def test_content_arrives_as_it_is_with_what_to_say_next_time(server):
    fetched = had(server.serve(ok(LIST, ETag='"1"', Last_Modified="Mon, 02 Jan 2023 00:00:00 GMT")))
    assert fetched.content == LIST
    assert fetched.seen == Seen('"1"', "Mon, 02 Jan 2023 00:00:00 GMT")


@pytest.mark.parametrize("seen", [Seen(etag='"1"'), Seen(last_modified="Mon, 02 Jan 2023 00:00:00 GMT")])
def test_what_was_seen_before_is_not_sent_again(server, seen):
    url = server.serve(ok(LIST, ETag='"1"', Last_Modified="Mon, 02 Jan 2023 00:00:00 GMT"))
    assert had(url, seen=seen) is None


def test_the_query_and_the_host_are_sent(server):
    had(server.serve(ok(LIST)) + "?key=1")
    assert server.requests[-1]["host"] == f"127.0.0.1:{server.port}"


def test_what_is_not_ascii_in_a_url_is_encoded(server):
    server.serve(ok(LIST), "/l%C3%ADst%20a")
    assert had(server.url("/líst a")).content == LIST


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (status(500), "the server answers 500 Internal Server Error"),
        (status(404), "the server answers 404 Not Found"),
        (ok(b""), "is empty"),
        (ok(b" \r\n"), "is empty"),
        (ok(b"<!DOCTYPE html><html><body>Sign in</body></html>"), "is an HTML page, not a list"),
        (ok(b"\xef\xbb\xbf\n<!-- hi --><html>"), "is an HTML page, not a list"),
        (half(LIST), "the connection broke before all of it arrived"),
        (cut_chunk(LIST), "the connection broke before all of it arrived"),
        (ok(b"1.1.1.1\n" * 20_000), "has 160,000 bytes, and 100,000 are allowed"),
        (endless(), "has more than 100,000 bytes, which are allowed"),
        (silent(1.0), "the server sent nothing for 0.4 s"),
        (drip(), "took longer than 0.8 s"),
        (drip(within_headers=True), "took longer than 0.8 s"),
        (redirect("/list"), "is redirected more than 5 times"),
        (redirect("ftp://example.com/list"), "ftp://example.com/list is not an http:// or https:// URL"),
        (redirect("file:///etc/passwd"), "file:///etc/passwd is not an http:// or https:// URL"),
    ],
)
def test_a_bad_answer_is_an_error_with_its_reason(server, page, reason):
    start = time.monotonic()
    assert why_not(server.serve(page)).startswith(reason)
    assert time.monotonic() - start < 3


def test_an_xml_list_is_no_html_page(server):
    assert had(server.serve(ok(b'<?xml version="1.0"?><stix:STIX_Package/>'))) is not None


def test_a_redirect_is_followed(server):
    server.serve(ok(LIST), "/moved")
    assert had(server.serve(redirect("/moved"))).content == LIST


def test_a_server_that_is_not_there_is_an_error():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert "refused" in why_not(f"http://127.0.0.1:{port}/list")


def test_a_name_that_is_nowhere_is_an_error():
    assert "has no address" in why_not("http://nowhere.invalid/list")


def test_a_user_name_in_the_url_is_refused():
    assert "user name" in why_not("http://me:secret@127.0.0.1/list")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "169.254.169.254", "10.0.0.1", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "2130706433"],
)
def test_private_addresses_are_not_asked(server, host):
    before = len(server.requests)
    with pytest.raises(FeedError, match="not a public address"):
        fetch(f"http://{host}:{server.port}/list", limits=QUICK)
    assert len(server.requests) == before


def test_a_public_server_cannot_redirect_to_a_private_one(server, monkeypatch):
    """The server stands for a public one: its own address passes the check, and no other."""
    monkeypatch.setattr(hosts, "is_public", lambda address: address == "127.0.0.1")
    url = server.serve(redirect("http://169.254.169.254/latest/meta-data/"))
    with pytest.raises(FeedError, match=r"169.254.169.254, not a public address"):
        fetch(url, limits=QUICK)


def test_the_connection_goes_to_the_address_that_was_checked(server, monkeypatch):
    """A name that leads elsewhere when asked again (DNS rebinding) is only asked once."""
    asked = []
    resolve = socket.getaddrinfo

    def rebinding(host, *arguments, **options):
        if host != "feed.example":
            return resolve(host, *arguments, **options)
        asked.append(host)
        return resolve("127.0.0.1" if len(asked) == 1 else "127.0.0.2", *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    server.serve(ok(LIST))
    assert had(f"http://feed.example:{server.port}/list").content == LIST
    assert asked == ["feed.example"]
    assert server.requests[-1]["host"] == f"feed.example:{server.port}"


@pytest.mark.parametrize(
    "address",
    ["::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "224.0.0.1", "255.255.255.255", "fe80::1%eth0", "fd00::1"],
)
def test_other_writings_of_private_addresses_are_not_public(address):
    assert not is_public(address)


@given(st.ip_addresses(v=4, network="10.0.0.0/8"))
def test_a_private_address_inside_an_ipv6_one_is_not_public(address):
    assert not is_public(f"::ffff:{address}")
    assert not is_public(f"64:ff9b::{int(address) >> 16:x}:{int(address) & 0xFFFF:x}")


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_public_addresses_are_public(address):
    assert is_public(address)


class TestS3:
    """Lists in a bucket, of a server that speaks S3."""

    @pytest.fixture
    def bucket(self, monkeypatch):
        moto = pytest.importorskip("moto")
        boto3 = pytest.importorskip("boto3")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "example")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        with moto.mock_aws():
            client = boto3.client("s3")
            client.create_bucket(Bucket="lists")
            client.put_object(Bucket="lists", Key="bad/addresses.txt", Body=LIST)
            yield "s3://lists"

    def test_an_object_is_fetched_once(self, bucket):
        fetched = had(f"{bucket}/bad/addresses.txt")
        assert fetched.content == LIST
        assert had(f"{bucket}/bad/addresses.txt", seen=fetched.seen) is None

    def test_an_object_that_is_not_there_is_an_error(self, bucket):
        assert "NoSuchKey" in why_not(f"{bucket}/other.txt")

    def test_an_object_that_is_too_large_is_an_error(self, bucket):
        with pytest.raises(FeedError, match="28 bytes, and 10 are allowed"):
            fetch(f"{bucket}/bad/addresses.txt", limits=Limits(max_bytes=10))

    def test_a_url_without_a_key_is_an_error(self, bucket):
        assert "s3://bucket/key" in why_not(bucket)
