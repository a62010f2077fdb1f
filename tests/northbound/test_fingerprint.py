"""A password is recognised later, and cannot be read from what was kept of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.northbound.client import Client, is_fingerprint_of


def client(password):
    return Client("https://host", "user", password, timeout=1)


@pytest.mark.parametrize("password", ["secret", "pässwörd", "\ud800x"])
def test_a_fingerprint_tells_its_password_from_others(password):
    fingerprint = client(password).fingerprint
    assert client(password).has_credentials(fingerprint)
    assert not client(password + "x").has_credentials(fingerprint)


def test_a_fingerprint_does_not_hold_the_password():
    first, second = (client("pässwörd").fingerprint for _ in range(2))
    assert first != second  # so that nobody sees that two accounts share one
    assert "pässwörd" not in first
    assert len(first) == len(second) == 96


def test_a_fingerprint_is_slow_to_guess_by(digests):
    fingerprint = client("secret").fingerprint
    assert is_fingerprint_of(fingerprint, "secret")
    assert digests == [600_000, 600_000]


@pytest.mark.parametrize("junk", ["", "zz", "\N{SNOWMAN}" * 40])
def test_what_is_no_fingerprint_is_nobodys(junk):
    assert not is_fingerprint_of(junk, "secret")


@given(st.text(max_size=40))
def test_no_text_is_a_fingerprint_by_chance(junk):
    assert not is_fingerprint_of(junk, "secret")
