"""Accounts of one server share a gate; those of another do not."""

import pytest

from exporter.accounts import _server


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://eu5.example.com", "https://EU5.example.com:443/", True),
        ("https://eu5.example.com", "https://intl.example.com", False),
        ("http://127.0.0.1:8001", "http://127.0.0.1:8002", False),
        ("http://[::1]:8001", "http://[::1]:8001/path", True),
    ],
)
def test_which_addresses_are_one_server(one, other, same):
    assert (_server(one) == _server(other)) is same
