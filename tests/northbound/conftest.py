import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import responses
from northbound.client_calls import HOST, TOKEN
from northbound.raw_server import Server, serving

from exporter.northbound.client import Client

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture
def body() -> Callable[[str], bytes]:
    """A fixture's bytes, as they would come over the wire."""
    return lambda name: (FIXTURES / f"{name}.json").read_bytes()


@pytest.fixture
def data(body: Callable[[str], bytes]) -> Callable[[str], Any]:
    """The `data` of a fixture's envelope."""
    return lambda name: json.loads(body(name))["data"]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No proxy, certificate bundle or .netrc of the machine reaches a test."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


@pytest.fixture
def client() -> Client:
    return Client(f"{HOST}/", "api-user", "top-secret", timeout=5)


@pytest.fixture
def signed_in(client: Client) -> Client:
    client.token = TOKEN
    return client


@pytest.fixture
def server() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    with serving() as start:
        yield start
