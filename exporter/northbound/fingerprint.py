"""The fingerprint of a password: it is recognised later without being kept."""

import hmac
import os
from hashlib import pbkdf2_hmac

_ROUNDS = 600_000  # a quarter of a second, for those who would guess
_SALT = 16  # bytes


def fingerprint_of(password: str) -> str:
    """A salted digest of the password, slow to make; another one each time."""
    return _digest(password, os.urandom(_SALT))


def is_fingerprint_of(fingerprint: str, password: str) -> bool:
    """Whether the fingerprint was made of this password."""
    try:
        salt = bytes.fromhex(fingerprint[: 2 * _SALT])
    except ValueError:
        return False
    return hmac.compare_digest(_digest(password, salt).encode(), fingerprint.encode())


def _digest(password: str, salt: bytes) -> str:
    digest = pbkdf2_hmac("sha256", password.encode(errors="surrogatepass"), salt, _ROUNDS)
    return salt.hex() + digest.hex()
