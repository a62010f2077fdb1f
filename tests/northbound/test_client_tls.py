"""The client over TLS: whom it trusts, and what a proxy sees of it."""

import os
import shutil
import socket
import ssl
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

import pytest
import requests
from northbound.raw_server import (
    ENVELOPE,
    LONG,
    PATH,
    SHORT,
    answering,
    client_of,
    head,
    reason,
    send_slowly,
)

from exporter.northbound.client import Client
from exporter.northbound.errors import CallError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """A certificate for 127.0.0.1 that is its own authority, with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(  # noqa: S603  # because the command line is this test's own
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-keyout", folder / "key.pem", "-out", folder / "cert.pem"),
            *("-subj", "/CN=plant", "-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    return folder / "cert.pem"


@pytest.fixture
def context(certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    return context


def test_a_ca_file_that_became_a_pipe_keeps_nobody_waiting(serve, context, tmp_path):
    os.mkfifo(tmp_path / "ca.pem")
    server = serve(answering(), context)
    client = client_of(server, scheme="https", ca_file=str(tmp_path / "ca.pem"))
    with pytest.raises(CallError) as caught:
        client.call(PATH, {})
    assert (caught.value.reason, caught.value.detail) == ("tls", "ca_file is a pipe")


def test_certificates_to_trust_are_read_once_and_again_when_they_change(
    serve, context, certificate, tmp_path, monkeypatch
):
    loaded, load = [], ssl.SSLContext.load_verify_locations
    monkeypatch.setattr(
        ssl.SSLContext,
        "load_verify_locations",
        lambda self, *args, **kwargs: loaded.append(kwargs) or load(self, *args, **kwargs),
    )
    ca_file = tmp_path / "ca.pem"
    client = client_of(serve(answering(), context), scheme="https", ca_file=str(ca_file))

    ca_file.write_bytes(certificate.read_bytes())
    assert [client.call(PATH, {}) for _ in range(3)] == ["here"] * 3
    assert loaded == [{"cafile": str(ca_file)}]
    ca_file.write_bytes(Path(requests.certs.where()).read_bytes())
    assert [reason(client) for _ in range(3)] == ["tls"] * 3
    assert loaded == [{"cafile": str(ca_file)}] * 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        (b"nothing", "[X509: NO_CERTIFICATE_OR_CRL_FOUND] no certificate or crl found"),
    ],
)
def test_a_ca_file_that_cannot_be_used_is_named(serve, context, tmp_path, content, reason):
    ca_file = tmp_path / "ca.pem"
    if content is not None:
        ca_file.write_bytes(content)
    server = serve(answering(), context)
    with pytest.raises(CallError) as caught:
        client_of(server, scheme="https", ca_file=str(ca_file)).call(PATH, {})
    reason_and_detail = (caught.value.reason, caught.value.detail.partition(" (_ssl.c")[0])
    assert reason_and_detail == ("tls", f"no certificates to trust: {reason}")
    assert caught.value.__context__ is None
    assert server.requests == []


def test_a_ca_file_is_trusted_whatever_the_environment_says(
    serve, context, certificate, monkeypatch
):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    server = serve(answering(), context)
    client = client_of(server, scheme="https", ca_file=str(certificate))
    assert client.call(PATH, {}) == "here"


def test_the_environments_bundle_is_trusted(serve, context, certificate, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    assert client_of(serve(answering(), context), scheme="https").call(PATH, {}) == "here"


def test_an_unknown_authority_is_refused(serve, context):
    server = serve(answering(), context)
    assert reason(client_of(server, scheme="https")) == "tls"
    assert server.requests == []


def test_a_certificate_for_another_host_is_refused(serve, context, certificate):
    server = serve(answering(), context)
    address = f"https://localhost:{server.port}"
    client = Client(address, "api-user", "pw", timeout=LONG, ca_file=str(certificate))
    assert reason(client) == "tls"


def test_an_owner_may_do_without_verification(serve, context):
    server = serve(answering(), context)
    assert client_of(server, scheme="https", verify=False).call(PATH, {}) == "here"


def test_a_drip_over_tls_ends_at_the_deadline(serve, context):
    def handle(server, connection):
        server.read(connection)
        send_slowly(server, connection, head() + ENVELOPE)

    server = serve(handle, context)
    assert reason(client_of(server, SHORT * 2, scheme="https", verify=False)) == "timeout"
    assert not server.finished


def test_tls_goes_through_a_proxy_and_the_proxy_sees_no_token(
    serve, context, certificate, monkeypatch
):
    server = serve(answering(), context)

    def tunnel(proxy, connection):
        proxy.read(connection)
        with socket.create_connection(("127.0.0.1", server.port)) as onward:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=forward, args=(onward, connection))
            back.start()
            forward(connection, onward)
            back.join()

    proxy = serve(tunnel)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    client = client_of(server, scheme="https", ca_file=str(certificate))
    client.token = "secret"
    assert client.call(PATH, {}) == "here"
    assert proxy.requests[0].startswith(f"CONNECT 127.0.0.1:{server.port} ".encode())
    assert b"secret" not in proxy.requests[0]
    assert b"XSRF-TOKEN: secret" in server.requests[0]


def forward(source: socket.socket, sink: socket.socket):
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize(
    "payload", [head() + ENVELOPE, head(status="400 Bad Request"), b"SSH-2.0-OpenSSH_9.2\r\n"]
)
def test_what_is_no_tls_says_nothing_about_certificates(serve, payload):
    def handle(_, connection):
        connection.recv(65536)
        connection.sendall(payload)

    assert reason(client_of(serve(handle), scheme="https")) == "no_tls"


@pytest.mark.parametrize(
    "payload",
    [
        b"\x15\x03\x03\x00\x02\x02\x46",  # an alert: protocol version
        head(status="400 Bad Request")
        + b"<html><title>400 The plain HTTP request was sent to HTTPS port</title></html>",
        head(status="400 Bad Request") + b"Client sent an HTTP request to an HTTPS server.\n",
        head(status="400 Bad Request")
        + b"Reason: You're speaking plain HTTP to an SSL-enabled server port.",
    ],
)
def test_a_port_that_wants_tls_says_so(serve, payload):
    def handle(server, connection):
        server.read(connection)
        connection.sendall(payload)

    assert reason(client_of(serve(handle))) == "only_tls"
