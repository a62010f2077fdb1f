"""Recognising a password later without keeping it."""

import hmac
import os
from hashlib import pbkdf2_hmac

_ROUNDS = 600_000  # a quarter of a second, for those who would guess
_SALT = 16  # bytes


def sealed(password: str) -> str:
    """A salted digest of the password, slow to make; another one each time."""
    return _sealed(password, os.urandom(_SALT))


def is_seal_of(seal: str, password: str) -> bool:
    """Whether the digest was made of this password."""
    try:
        salt = bytes.fromhex(seal[: 2 * _SALT])
    except ValueError:
        return False
    return hmac.compare_digest(_sealed(password, salt).encode(), seal.encode())


def _sealed(password: str, salt: bytes) -> str:
    digest = pbkdf2_hmac("sha256", password.encode(errors="surrogatepass"), salt, _ROUNDS)
    return salt.hex() + digest.hex()
