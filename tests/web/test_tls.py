"""TLS over real sockets: certificates that change, clients that are checked, and strangers."""

import base64
import json
import socket
import ssl
from contextlib import ExitStack, suppress

import bcrypt
import pytest
import trustme
import yaml
from web.process import (
    LARGE,
    LONG,
    REQUEST,
    SHORT,
    SMALL,
    Serving,
    answers_of,
    memory_of,
    port_of,
    read_to_the_end,
)

pytestmark = pytest.mark.slow

NAME = "exporter.example"
CLOSING = REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


class Site:
    """A server with a web configuration, and the authority that its clients trust."""

    def __init__(self, stack, directory):
        self.stack = stack
        self.directory = directory
        self.ca = trustme.CA()
        self.ca.cert_pem.write_to_path(directory / "ca.pem")
        self.write_certificate(self.ca.issue_cert(NAME))

    def write_certificate(self, certificate):
        certificate.private_key_pem.write_to_path(self.directory / "server.key")
        certificate.cert_chain_pems[0].write_to_path(self.directory / "server.pem")

    def configure(self, *, encrypted=True, users=None, **keys):
        sections = {"basic_auth_users": users or {}}
        if encrypted:
            sections["tls_server_config"] = {
                "cert_file": "server.pem", "key_file": "server.key", **keys,
            }  # fmt: skip
        self.path.write_text(yaml.safe_dump(sections))

    @property
    def path(self):
        return self.directory / "web.yaml"

    def serve(self, size=SMALL, **constants):
        self.serving = Serving(self.stack, size, self.path, CHECK_INTERVAL=0, **constants)
        return self.serving

    def trusting(self, certificate=None):
        """What a client needs; `certificate` is its own."""
        context = ssl.create_default_context()
        self.ca.configure_trust(context)
        if certificate:
            certificate.configure_cert(context)
        return context

    def connect(self, payload=b"", context=None, name=NAME):
        """A connection whose handshake is done; without a name, none is asked for."""
        context = context or self.trusting()
        context.check_hostname = name is not None
        plain = self.serving.connect()
        secure = context.wrap_socket(plain, server_hostname=name)
        self.stack.enter_context(secure)
        secure.sendall(payload)
        return secure

    def scrape(self, **options):
        """Length of the page, asked for on a connection of its own; 0 where it is refused."""
        try:
            return dict(answers_of(self.connect(REQUEST, **options), 1))[200]
        except (OSError, ValueError, IndexError):
            return 0


@pytest.fixture(scope="module")
def module_site(tmp_path_factory):
    """A site whose server has served the tests before, too."""
    with ExitStack() as stack:
        site = Site(stack, tmp_path_factory.mktemp("site"))
        site.configure()
        site.serve()
        yield site


@pytest.fixture
def shared_site(module_site):
    module_site.configure()
    with ExitStack() as module_site.stack:
        yield module_site


@pytest.fixture
def site(tmp_path):
    with ExitStack() as stack:
        site = Site(stack, tmp_path)
        site.configure()
        yield site


def serial(connection):
    return ssl.DER_cert_to_PEM_cert(connection.getpeercert(binary_form=True))


# Served


def test_targets_are_to_be_scraped_as_they_were_asked_for(shared_site):
    asked = b"GET /-/targets HTTP/1.1\r\nHost: solar.example:10052\r\nConnection: close\r\n\r\n"
    found = json.loads(read_to_the_end(shared_site.connect(asked)).partition(b"\r\n\r\n")[2])
    labels = {"__param_exporter": "true", "__scheme__": "https"}
    assert found == [{"targets": ["solar.example:10052"], "labels": labels}]


def test_targets_are_told_to_those_alone_who_may_scrape(shared_site):
    hashed = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    shared_site.configure(users={"prometheus": hashed})
    asked = b"GET /-/targets HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert read_to_the_end(shared_site.connect(asked)).startswith(b"HTTP/1.1 401 ")


def test_pages_of_any_size_arrive_whole_and_connections_stay(site):
    site.serve(LARGE)
    connection = site.connect(REQUEST * 2)
    assert connection.version() == "TLSv1.3"
    assert answers_of(connection, 2) == [(200, LARGE)] * 2
    connection.sendall(CLOSING)
    assert answers_of(connection, 1) == [(200, LARGE)]
    assert read_to_the_end(connection) == b""


def test_what_is_no_handshake_is_hung_up_on(site):
    serving = site.serve(EXCHANGE_TIMEOUT=SHORT)
    rubbish = [b"", b"\x00" * 50, b"\x16\x03\x01\xff\xff", REQUEST]
    for connection in [serving.connect(payload) for payload in rubbish]:
        assert not read_to_the_end(connection).startswith(b"HTTP")
    assert site.scrape() == SMALL
    serving.end_counts()
    assert [line for line in serving.events if "rror" in line] == []


def test_an_old_version_is_refused(shared_site):
    shared_site.configure(min_version="TLS13")
    old = shared_site.trusting()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    assert shared_site.scrape(context=old) == 0
    assert shared_site.scrape() == SMALL


def test_users_are_asked_for_their_password(shared_site):
    hashed = bcrypt.hashpw(b"open sesame", bcrypt.gensalt(4)).decode()
    shared_site.configure(users={"alice": hashed})
    credentials = base64.b64encode(b"alice:open sesame")
    known = REQUEST.replace(b"\r\n\r\n", b"\r\nAuthorization: Basic %b\r\n\r\n" % credentials)
    assert [status for status, _ in answers_of(shared_site.connect(REQUEST + known), 2)] == [
        401,
        200,
    ]


# Read again


@pytest.mark.parametrize("name", [NAME, None], ids=["by name", "without a name"])
def test_a_new_certificate_is_shown_to_the_next_client(shared_site, name):
    before = shared_site.connect(name=name)
    shared_site.write_certificate(shared_site.ca.issue_cert(NAME))
    after = shared_site.connect(name=name)
    assert serial(after) == shared_site.directory.joinpath("server.pem").read_text()
    assert serial(after) != serial(before)
    for connection in (before, after):
        connection.sendall(REQUEST)
        assert answers_of(connection, 1) == [(200, SMALL)]


def test_a_broken_certificate_leaves_the_one_before_and_is_spoken_of(shared_site):
    before = serial(shared_site.connect())
    shared_site.directory.joinpath("server.pem").write_text("no certificate")
    assert serial(shared_site.connect()) == before
    assert shared_site.scrape() == SMALL
    lines = [line for line in shared_site.serving.events if "web configuration refused" in line]
    assert len(lines) == 1
    assert "cert_file: holds no certificates in PEM form" in lines[0]
    shared_site.write_certificate(shared_site.ca.issue_cert(NAME))


def test_everything_about_tls_may_change_at_once(shared_site):
    stranger = shared_site.trusting()
    assert shared_site.scrape(context=stranger) == SMALL
    shared_site.configure(client_auth_type="RequireAndVerifyClientCert", client_ca_file="ca.pem")
    assert shared_site.scrape(context=stranger) == 0
    assert (
        shared_site.scrape(context=shared_site.trusting(shared_site.ca.issue_cert("a.example")))
        == SMALL
    )
    shared_site.configure(encrypted=False)
    assert answers_of(shared_site.serving.connect(REQUEST), 1) == [(200, SMALL)]
    shared_site.configure()
    assert shared_site.scrape(context=stranger) == SMALL


# Clients


def test_clients_are_let_in_as_the_policy_says(shared_site):
    known = shared_site.trusting(shared_site.ca.issue_cert("a.example"))
    unknown = shared_site.trusting(trustme.CA().issue_cert("a.example"))
    for policy, expected in (
        ("VerifyClientCertIfGiven", [SMALL, 0, SMALL]),
        ("RequireAndVerifyClientCert", [SMALL, 0, 0]),
    ):
        shared_site.configure(client_auth_type=policy, client_ca_file="ca.pem")
        pages = [
            shared_site.scrape(context=each) for each in (known, unknown, shared_site.trusting())
        ]
        assert pages == expected


def test_clients_are_let_in_by_one_of_their_names(shared_site):
    names = ["prometheus.example", "10.0.0.1", "2001:db8::1", "a@b.example"]
    shared_site.configure(
        client_auth_type="RequireAndVerifyClientCert",
        client_ca_file="ca.pem",
        client_allowed_sans=names,
    )
    for own, length in (
        *(([name], SMALL) for name in names),
        (["other.example", "prometheus.example"], SMALL),
        (["other.example"], 0),
        (["sub.prometheus.example"], 0),
        (["10.0.0.2"], 0),
    ):
        assert (
            shared_site.scrape(context=shared_site.trusting(shared_site.ca.issue_cert(*own)))
            == length
        )


# Strangers


def test_silent_clients_keep_no_one_from_the_page(site):
    serving = site.serve()
    silent = [serving.connect(payload) for payload in (b"", b"\x16\x03\x01") for _ in range(50)]
    assert site.scrape() == SMALL
    assert not [each for each in silent if f"connection_lost {port_of(each)}" in serving.events]


@pytest.mark.parametrize("constant", ["EXCHANGE_TIMEOUT", "HANDSHAKE_TIMEOUT"])
def test_a_handshake_that_is_not_finished_ends(site, constant):
    serving = site.serve(**{constant: SHORT})
    silent = serving.connect(b"\x16\x03\x01")
    serving.wait_until_lost(silent)
    assert read_to_the_end(silent) == b""


def test_unfinished_handshakes_count_as_connections(site):
    serving = site.serve(MAX_CONNECTIONS=5)
    silent = [serving.connect() for _ in range(5)]
    assert site.scrape() == SMALL
    serving.wait_until_lost(silent[0])
    assert read_to_the_end(silent[0]) == b""
    assert serving.count("connection_lost") == 1


def test_one_who_leaves_in_the_handshake_is_forgotten(site):
    serving = site.serve(MAX_CONNECTIONS=5)
    for _ in range(10):
        gone = serving.connect(b"\x16")
        port = port_of(gone)
        gone.close()
        serving.wait(lambda: f"connection_lost {port}" in serving.events)  # noqa: B023  # waits here
    assert serving.count("connection_lost") == 10
    assert site.scrape() == SMALL


@pytest.mark.parametrize(
    ("size", "payload"), [(SMALL, REQUEST), (LARGE, REQUEST), (LARGE, CLOSING)]
)
def test_a_client_that_does_not_read_its_answer_is_hung_up_on(site, size, payload):
    serving = site.serve(size, EXCHANGE_TIMEOUT=SHORT)
    connection = site.connect(payload)
    serving.wait_until_lost(connection)
    assert len(read_to_the_end(connection)) < size


@pytest.mark.parametrize(("payload", "most"), [(b"", 150), (REQUEST, 400)], ids=["idle", "unread"])
def test_connections_cost_little_memory(site, payload, most):
    serving = site.serve(LARGE)
    trusting = site.trusting()
    some = [site.connect(payload, trusting) for _ in range(20)]  # take what a start has left over
    assert site.scrape() == LARGE
    before = memory_of(serving.process)
    more = [site.connect(payload, trusting) for _ in range(2 * len(some))]
    assert site.scrape() == LARGE
    assert (memory_of(serving.process) - before) / len(more) < most


def test_a_signal_ends_it_whatever_its_clients_do(site):
    serving = site.serve(LARGE)
    serving.connect()
    serving.connect(b"\x16\x03\x01")
    site.connect()
    half_read = site.connect(REQUEST)
    assert half_read.recv(15) == b"HTTP/1.1 200 OK"
    serving.end_counts()


def test_a_reset_in_the_middle_is_no_error(site):
    serving = site.serve(LARGE)
    for connection in (serving.connect(b"\x16"), site.connect(), site.connect(REQUEST)):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        port = port_of(connection)
        connection.close()
        serving.wait(lambda: f"connection_lost {port}" in serving.events)  # noqa: B023  # waits here
    assert site.scrape() == LARGE
    serving.end_counts()


def test_who_says_goodbye_before_the_answer_is_not_spoken_of(site):
    serving = site.serve()
    for _ in range(20):
        connection = site.connect(REQUEST)
        port = port_of(connection)
        connection.setblocking(False)
        with suppress(ssl.SSLError):
            connection.unwrap()
        connection.close()
        serving.wait(lambda: f"connection_lost {port}" in serving.events)  # noqa: B023  # waits here
    serving.end_counts()
    assert [line for line in serving.events if "eof" in line] == []


def test_a_slow_reader_gets_its_page_before_the_connection_ends(site):
    site.serve(LARGE)
    connection = site.connect(CLOSING)
    connection.settimeout(LONG)
    read = b""
    while piece := connection.recv(4_096):
        read += piece
    assert len(read) > LARGE
