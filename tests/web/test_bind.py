import socket

import pytest

from exporter.web.server import bind

needs_v6 = pytest.mark.skipif(
    not socket.has_dualstack_ipv6(), reason="this machine has no IPv6 to listen on"
)


def reaches(port, host):
    with socket.create_connection((host, port), timeout=5) as connection:
        return connection.getpeername()[1] == port


@pytest.mark.parametrize("address", ["127.0.0.1:0", "localhost:0"])
def test_an_address_is_listened_on_alone(address):
    with bind(address) as listening:
        host, port = listening.getsockname()
        assert host == "127.0.0.1"
        assert reaches(port, "127.0.0.1")


@needs_v6
def test_an_ipv6_address_stands_in_brackets():
    with bind("[::1]:0") as listening:
        host, port = listening.getsockname()[:2]
        assert host == "::1"
        assert reaches(port, "::1")


@needs_v6
def test_without_a_host_every_address_of_both_families_is_listened_on():
    with bind(":0") as listening:
        port = listening.getsockname()[1]
        assert reaches(port, "127.0.0.1")
        assert reaches(port, "::1")


def test_without_a_host_and_without_ipv6_every_ipv4_address_is_listened_on(monkeypatch):
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    with bind(":0") as listening:
        host, port = listening.getsockname()
        assert host == "0.0.0.0"  # noqa: S104  # because that is what `:port` means
        assert reaches(port, "127.0.0.1")


def test_a_port_in_use_is_an_os_error():
    with bind("127.0.0.1:0") as listening, pytest.raises(OSError, match="in use"):
        bind(f"127.0.0.1:{listening.getsockname()[1]}")


@pytest.mark.parametrize(
    "address",
    ["", ":", "80", "localhost", "localhost:", "localhost:http", "localhost:-1", "localhost:65536",
     "localhost:1e3", "localhost: 80", "localhost:80 ", "localhost:²", "localhost:999999999",
     "http://localhost:80", "localhost:80/", "::1:80", "[::1]", "[::1", "[::1:80", "::1]:80",
     "[]:80", "[[::1]]:80", "localhost:80:90", "localhost:" + "9" * 5_000],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_the_forms_that_are(address):
    with pytest.raises(ValueError, match=r"^expected host:port, \[v6\]:port or :port$"):
        bind(address)


@pytest.mark.parametrize("address", ["192.0.2.1:0", "no-such-host.invalid:0", "[zz]:0"])
def test_an_address_that_is_not_here_is_an_os_error(address):
    with pytest.raises(OSError):  # noqa: PT011  # because its text is the system's
        bind(address)
