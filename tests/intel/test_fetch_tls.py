"""Fetching over TLS: the certificate is that of the name, though the connection goes to a checked address."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from intel.feed_server import ok, redirect, running

from guardray.errors import FeedError
from guardray.intel.fetch import fetch

NAME = "feed.example"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A file with a key and a certificate for the name, which is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    no_password = serialization.NoEncryption()
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_password)
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def server(certificate, monkeypatch):
    resolve = socket.getaddrinfo

    def local(host, *arguments, **options):
        return resolve("127.0.0.1" if host.endswith(".example") else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", local)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with running(context) as feeds:
        feeds.serve(ok(b"9.9.9.9\n"))
        yield feeds


def had(server, host=NAME):
    return fetch(f"https://{host}:{server.port}/list", allow_private_addresses=True)


def test_a_list_is_fetched_over_tls(server, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert had(server).content == b"9.9.9.9\n"
    assert server.requests[-1]["host"] == f"{NAME}:{server.port}"


def test_a_certificate_that_nobody_vouches_for_is_refused(server):
    with pytest.raises(FeedError, match="the server's certificate is not valid"):
        had(server)


def test_a_certificate_of_another_name_is_refused(server, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with pytest.raises(FeedError, match="certificate is not valid"):
        had(server, "other.example")


def test_a_redirect_from_https_to_http_is_refused(server, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server.serve(redirect("http://feed.example/list"))
    with pytest.raises(FeedError, match=r"is redirected from https to http://feed.example/list"):
        had(server)
