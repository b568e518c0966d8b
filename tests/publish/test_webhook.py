"""Webhooks: signed, never where they must not go, and every way a server can fail is told in words."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from finding_examples import c2_domain, one_of_each, ssh_brute_force
from publish.conftest import SECRET, send
from publish.hook_server import break_off, drip, hang, running, status

from guardray.findings.wire import to_json

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
LOCAL = "allow_http: true, allow_private_addresses: true"


@pytest.fixture
def webhook(config):
    def at(url: str, more: str = LOCAL):
        (hook,) = config(f"name: w, kind: webhook, url: '{url}', secret: {{env: HOOK_SECRET}}, {more}")
        return hook

    return at


def why_not(webhook, deliveries):
    (failure,) = send(webhook, deliveries(c2_domain()), NOW)
    return failure.reason


def test_a_finding_arrives_as_guarddutys_event(hooks, webhook, deliveries):
    assert send(webhook(hooks.url("/hook?team=1")), deliveries(c2_domain()), NOW) == [None]
    (request,) = hooks.requests
    event = json.loads(request.body)
    assert event.pop("detail") == to_json(c2_domain())
    assert event == {
        "version": "0",
        "id": request.headers["webhook-id"],
        "detail-type": "GuardDuty Finding",
        "source": "guardray",
        "account": "111122223333",
        "time": "2024-05-01T12:06:00Z",
        "region": "eu-west-1",
        "resources": [],
    }
    assert request.path == "/hook?team=1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["host"] == f"127.0.0.1:{hooks.port}"


def test_the_signature_is_that_of_the_standard_webhooks_specification(hooks, webhook, deliveries, monkeypatch):
    """Checked as the specification tells receivers to, with the secret in both of its forms."""
    encoded = base64.b64encode(SECRET.encode()).decode()
    for secret in (SECRET, f"whsec_{encoded}"):
        monkeypatch.setenv("HOOK_SECRET", secret)
        hook = webhook(hooks.url())
        monkeypatch.setenv("HOOK_SECRET", secret)
        send(hook, deliveries(c2_domain()), NOW)
        request = hooks.requests[-1]
        assert request.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
        signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
        digest = hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()
        assert request.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


def test_the_id_is_that_of_the_findings_state(hooks, webhook, deliveries):
    hook = webhook(hooks.url())
    for finding in (ssh_brute_force(), ssh_brute_force(), ssh_brute_force(count=2)):
        send(hook, deliveries(finding), NOW)
    first, again, changed = (request.headers["webhook-id"] for request in hooks.requests)
    assert first == again != changed


def test_headers_and_the_source_can_be_chosen(hooks, webhook, deliveries):
    more = f"{LOCAL}, headers: {{Authorization: {{env: HOOK_SECRET}}, X-Team: blue}}, source: aws.guardduty"
    send(webhook(hooks.url(), more), deliveries(c2_domain()), NOW)
    assert hooks.requests[0].headers["authorization"] == SECRET
    assert hooks.requests[0].headers["x-team"] == "blue"
    assert json.loads(hooks.requests[0].body)["source"] == "aws.guardduty"


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (status(500), "the server answers 500 Internal Server Error"),
        (status(404), "the server answers 404 Not Found"),
        (
            status(302, Location="http://169.254.169.254/"),
            "the server answers 302 Found, and redirects are not followed",
        ),
        (hang(8), "127.0.0.1 took longer than 0.5 s"),
        (drip(8), "127.0.0.1 took longer than 0.5 s"),
        (break_off, "the connection to 127.0.0.1 broke before the answer"),
    ],
    ids=["500", "404", "redirect", "hang", "drip", "break off"],
)
def test_what_a_server_does_wrong_is_told(hooks, webhook, deliveries, behaviour, reason):
    hooks.behave = behaviour
    started = time.monotonic()
    patience = 0.5 if "took longer" in reason else 10
    hook = webhook(hooks.url("/secret-path"), f"{LOCAL}, timeout_s: {patience}")
    assert why_not(hook, deliveries).startswith(reason)
    assert time.monotonic() - started < 5
    assert len(hooks.requests) == 1


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("120", timedelta(minutes=2)),
        ("Sun, 01 Mar 2026 09:05:00 GMT", timedelta(minutes=5)),
        ("Sun, 01 Mar 2026 08:00:00 GMT", timedelta()),
        ("Sun, 01 Mar 2026 09:05:00 -0000", timedelta(minutes=5)),
        ("99999999999999999999", timedelta(seconds=1 << 31)),
        ("-5", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_understood_as_seconds_or_a_date(hooks, webhook, deliveries, header, wait):
    hooks.behave = status(429, Retry_After=header)
    (failure,) = send(webhook(hooks.url()), deliveries(c2_domain()), NOW)
    assert (failure.reason, failure.retry_after) == ("the server answers 429 Too Many Requests", wait)


def test_one_failure_does_not_keep_the_others_back(hooks, webhook, deliveries):
    hooks.behave = lambda handler, number: status(500 if number == 1 else 200)(handler, number)
    outcomes = send(webhook(hooks.url()), deliveries(*one_of_each()), NOW)
    assert [failure is None for failure in outcomes] == [True, False, True, True]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.1.2.3", "[::ffff:10.1.2.3]", "2130706433"]
)
def test_private_addresses_are_refused_unless_they_are_allowed(hooks, webhook, deliveries, host):
    reason = why_not(webhook(hooks.url(host=host), "allow_http: true"), deliveries)
    assert "not a public address (allow_private_addresses is not set)" in reason
    assert hooks.requests == []


def test_a_name_is_looked_up_once_and_the_connection_goes_there(hooks, webhook, deliveries, monkeypatch):
    """A name that is public when it is checked and private when it is connected to leads nowhere else."""
    answers = iter([("93.184.215.14",), ("127.0.0.1",)])
    asked = []
    resolve = socket.getaddrinfo

    def rebinding(host, port, *arguments, **options):
        if host != "rebind.example":
            return resolve(host, port, *arguments, **options)
        asked.append(host)
        (address,) = next(answers)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    why_not(webhook(hooks.url(host="rebind.example"), "allow_http: true"), deliveries)
    assert asked == ["rebind.example"]
    assert hooks.requests == []


def test_a_closed_port_and_an_unknown_name_are_told(webhook, deliveries):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert "Connection refused" in why_not(webhook(f"http://127.0.0.1:{port}/"), deliveries)
    assert "no-such-host.invalid has no address" in why_not(webhook("http://no-such-host.invalid/"), deliveries)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A key and a certificate for hook.example, its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hook.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hook.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    plain = serialization.NoEncryption()
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


class TestTls:
    @pytest.fixture
    def tls_hooks(self, certificate, monkeypatch):
        resolve = socket.getaddrinfo
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda host, *rest, **more: resolve("127.0.0.1" if host.endswith(".example") else host, *rest, **more),
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        with running(context) as hooks:
            yield hooks

    def test_a_certificate_of_a_named_authority_is_trusted(self, tls_hooks, webhook, deliveries, certificate):
        hook = webhook(
            tls_hooks.url(host="hook.example", scheme="https"),
            f"allow_private_addresses: true, ca_file: '{certificate}'",
        )
        assert send(hook, deliveries(c2_domain()), NOW) == [None]
        assert tls_hooks.requests[0].headers["host"] == f"hook.example:{tls_hooks.port}"

    def test_another_names_certificate_is_refused(self, tls_hooks, webhook, deliveries, certificate):
        hook = webhook(
            tls_hooks.url(host="other.example", scheme="https"),
            f"allow_private_addresses: true, ca_file: '{certificate}'",
        )
        assert "other.example" in why_not(hook, deliveries)
        assert tls_hooks.requests == []

    def test_an_unknown_authority_is_refused(self, tls_hooks, webhook, deliveries):
        hook = webhook(tls_hooks.url(host="hook.example", scheme="https"), "allow_private_addresses: true")
        assert why_not(hook, deliveries).startswith("hook.example's certificate is not valid: self-signed")
        assert tls_hooks.requests == []

    def test_a_server_without_tls_is_refused(self, hooks, webhook, deliveries):
        hook = webhook(hooks.url(scheme="https"), "allow_private_addresses: true")
        assert "127.0.0.1" in why_not(hook, deliveries)
        assert hooks.requests == []
