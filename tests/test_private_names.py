"""What libraries do not promise and the exporter uses all the same: it is there, as it is used.

A name that a release drops or changes would be no error on import: what overrides it would just
never be called again. `pyproject.toml` holds these libraries to the releases that were looked at.
"""

import ast
import asyncio
import inspect
import re
import tomllib
from asyncio.sslproto import SSLProtocol
from pathlib import Path

import pytest
import uvicorn
import yaml
from packaging.requirements import Requirement
from packaging.version import Version
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from exporter.config.yaml_file import _Loader
from exporter.northbound.transport import DeadlineConnection, DeadlineTlsConnection, _Adapter
from exporter.simulator.http.server import OpenProtocol
from exporter.web.server import BoundedProtocol
from exporter.web.tls import TlsProtocol

# The methods that are overridden or called, with their parameters behind self.
METHODS = {
    H11Protocol: {
        "connection_made": ["transport"],
        "data_received": ["data"],
        "eof_received": [],
        "on_response_complete": [],
        "send_400_response": ["msg"],
        "connection_lost": ["exc"],
        "shutdown": [],
    },
    SSLProtocol: {
        "__init__": [
            *("loop", "app_protocol", "sslcontext", "waiter", "server_side", "server_hostname"),
            *("call_connection_made", "ssl_handshake_timeout", "ssl_shutdown_timeout"),
        ],
        "connection_made": ["transport"],
        "connection_lost": ["exc"],
        "_get_extra_info": ["name", "default"],
    },
    HTTPConnection: {"_new_conn": [], "send": ["data"]},
    HTTPAdapter: {
        "get_connection_with_tls_context": ["request", "verify", "proxies", "cert"],
        "cert_verify": ["conn", "url", "verify", "cert"],
    },
    yaml.SafeLoader: {
        "__init__": ["stream"],
        "peek_event": [],
        "compose_node": ["parent", "index"],
        "compose_mapping_node": ["anchor"],
    },
}
OURS = {
    BoundedProtocol: H11Protocol,
    OpenProtocol: H11Protocol,
    TlsProtocol: SSLProtocol,
    DeadlineConnection: HTTPConnection,
    DeadlineTlsConnection: HTTPSConnection,
    _Adapter: HTTPAdapter,
    _Loader: yaml.SafeLoader,
}
TESTS = Path(__file__).parent
PROJECT = tomllib.loads((TESTS.parent / "pyproject.toml").read_text("utf-8"))
PINS = {wish.name: wish for wish in map(Requirement, PROJECT["project"]["dependencies"])}


@pytest.mark.parametrize(
    ("owner", "name", "parameters"),
    [(owner, *method) for owner, methods in METHODS.items() for method in methods.items()],
)
def test_a_library_has_the_method_with_these_parameters(owner, name, parameters):
    assert [*inspect.signature(getattr(owner, name)).parameters][1:] == parameters


@pytest.mark.parametrize("ours", OURS)
def test_no_class_overrides_what_is_not_looked_at(ours):
    base = OURS[ours]
    overridden = {name for name, value in vars(ours).items() if inspect.isfunction(value)}
    inherited = {name for name in overridden - {"__init__"} if hasattr(base, name)}
    assert inherited - METHODS.get(base, {}).keys() == set()


class Transport(asyncio.Transport):
    """A connection on which nothing is said."""

    def set_protocol(self, protocol):
        pass

    def pause_reading(self):
        pass


def test_uvicorn_keeps_a_connection_and_its_exchange_where_the_server_looks():
    async def ignore(scope, receive, send):
        pass

    async def ask():
        config = uvicorn.Config(ignore, log_config=None)
        config.load()
        state = ServerState()
        protocol = H11Protocol(config, state, {})
        protocol.connection_made(transport := Transport())
        before = protocol.cycle
        protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await asyncio.gather(*state.tasks, return_exceptions=True)
        return config, state, transport, protocol, before

    config, state, transport, protocol, before = asyncio.run(ask())

    assert protocol.transport is transport
    assert protocol.connections is state.connections
    assert isinstance(protocol.loop, asyncio.AbstractEventLoop)
    assert protocol.app is protocol.config.loaded_app
    assert before is None
    cycle = protocol.cycle
    assert {type(cycle.response_complete), type(cycle.more_body), type(cycle.disconnected)} == {
        bool
    }
    assert config.ssl is None


def test_urllib3_makes_connections_of_the_class_and_with_the_arguments_that_it_is_given():
    class Ours(HTTPConnection):
        def __init__(self, *args, deadline, **kwargs):
            super().__init__(*args, **kwargs)
            self.deadline = deadline

    pool = HTTPConnectionPool("localhost", 80)
    pool.ConnectionCls, pool.conn_kw["deadline"] = Ours, 5.0
    made = pool._new_conn()
    assert (type(made), made.host, made.port, made.deadline) == (Ours, "localhost", 80, 5.0)
    assert hasattr(made, "timeout")
    assert (pool.scheme, HTTPSConnectionPool.scheme) == ("http", "https")


def test_asyncio_reads_tls_in_pieces_of_a_size_that_can_be_set():
    assert isinstance(SSLProtocol.max_size, int)


def private_accesses(path):
    """Where a test uses a private attribute of anything but its own object or a base class."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and re.match("_[^_]", node.attr):
            owner = node.value
            own = isinstance(owner, ast.Name) and owner.id in {"self", "cls"}
            base = isinstance(owner, ast.Call) and ast.unparse(owner) == "super()"
            if not own and not base:
                yield f"{path.relative_to(TESTS)}:{node.lineno}: {ast.unparse(node)}"


def test_tests_look_at_no_private_attribute():
    paths = [path for path in sorted(TESTS.rglob("*.py")) if path != Path(__file__)]
    assert [place for path in paths for place in private_accesses(path)] == []


@pytest.mark.parametrize("library", ["uvicorn", "urllib3", "prometheus-client"])
def test_a_library_whose_inside_is_used_stays_within_a_minor_release(library):
    allowed = PINS[library].specifier
    (least,) = [Version(each.version) for each in allowed if each.operator == ">="]
    (end,) = [Version(each.version) for each in allowed if each.operator == "<"]
    assert end.release == (least.major, least.minor + 1)
