"""The section tls_server_config: which certificate is shown, and who is let in."""

import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, SecretStr, model_validator

from exporter.config.reading import text_of
from exporter.config.settings import Section
from exporter.config.values import FilePath, Items, Secret, Text

_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
_UNSPOKEN = ("TLS10", "TLS11")
_VERIFICATION = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}
# Go takes certificates that nobody has verified; OpenSSL, as Python offers it, does not.
_UNVERIFIED = {
    "RequestClientCert": "VerifyClientCertIfGiven",
    "RequireAnyClientCert": "RequireAndVerifyClientCert",
}

# Go's names of the cipher suites that it does not call insecure, and OpenSSL's. Those of TLS 1.3
# are always on, in Go as in OpenSSL.
_SUITES: Mapping[str, str | None] = {
    "TLS_AES_128_GCM_SHA256": None,
    "TLS_AES_256_GCM_SHA384": None,
    "TLS_CHACHA20_POLY1305_SHA256": None,
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
}
_CURVES = {
    "CurveP256": "prime256v1",
    "CurveP384": "secp384r1",
    "CurveP521": "secp521r1",
    "X25519": "X25519",
}


def _speakable(version: object) -> object:
    if version in _UNSPOKEN:
        raise ValueError(f"{version} is not spoken by this version of OpenSSL; use TLS12")
    return version


def _verified(policy: object) -> object:
    if isinstance(policy, str) and policy in _UNVERIFIED:
        raise ValueError(
            f"{policy}, which takes unverified certificates, is not offered; "
            f"use {_UNVERIFIED[policy]} with client_ca_file"
        )
    return policy


def _known_suite(name: str) -> str:
    if name not in _SUITES:
        raise ValueError("is no cipher suite that Go calls secure, by its name there")
    return name


def _one_curve(curves: tuple[str, ...]) -> tuple[str, ...]:
    if len(curves) > 1:
        raise ValueError("can hold one curve, not an order of several; leave it out for all")
    return curves


Version = Annotated[Literal["TLS12", "TLS13"], BeforeValidator(_speakable)]
Policy = Annotated[
    Literal["NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"],
    BeforeValidator(_verified),
]
Suite = Annotated[str, AfterValidator(_known_suite)]
Curve = Literal["CurveP256", "CurveP384", "CurveP521", "X25519"]


class TlsServer(Section):
    """The section, its files not read yet. Of each pair, one is the text and one the file."""

    cert: Text | None = None
    cert_file: FilePath | None = None
    key: Secret | None = None
    key_file: FilePath | None = None
    client_ca: Text | None = None
    client_ca_file: FilePath | None = None
    client_auth_type: Policy = "NoClientCert"
    client_allowed_sans: Items[Text] = ()
    min_version: Version = "TLS12"
    max_version: Version = "TLS13"
    cipher_suites: Items[Suite] = ()
    prefer_server_cipher_suites: bool = True
    curve_preferences: Annotated[Items[Curve], AfterValidator(_one_curve)] = ()

    @model_validator(mode="after")
    def _one_of_each_pair(self) -> Self:
        for pair in (("cert", "cert_file"), ("key", "key_file")):
            if len(self.model_fields_set.intersection(pair)) != 1:
                raise ValueError(f"needs one of {' and '.join(pair)}")
        if {"client_ca", "client_ca_file"} <= self.model_fields_set:
            raise ValueError("needs one of client_ca and client_ca_file, not both")
        return self

    @model_validator(mode="after")
    def _clients_can_be_verified(self) -> Self:
        policy = self.client_auth_type
        authority = self.client_ca or self.client_ca_file
        if policy == "NoClientCert" and authority:
            raise ValueError(
                "has a client_ca_file that nothing uses; add client_auth_type: "
                "RequireAndVerifyClientCert"
            )
        if policy != "NoClientCert" and not authority:
            raise ValueError(f"needs a client_ca_file for client_auth_type: {policy}")
        if self.client_allowed_sans and policy != "RequireAndVerifyClientCert":
            raise ValueError(
                "has client_allowed_sans, which need client_auth_type: RequireAndVerifyClientCert"
            )
        return self

    @model_validator(mode="after")
    def _something_is_spoken(self) -> Self:
        if _VERSIONS[self.min_version] > _VERSIONS[self.max_version]:
            raise ValueError("has a min_version above its max_version")
        if self.cipher_suites and self.min_version == "TLS12" and not self._old_suites():
            raise ValueError("has cipher_suites of TLS 1.3 alone; use min_version: TLS13 instead")
        return self

    def _old_suites(self) -> list[str]:
        """OpenSSL's names of the suites of TLS 1.2, the only ones that can be chosen."""
        return [name for suite in self.cipher_suites if (name := _SUITES[suite])]

    def files(self) -> tuple[Path, ...]:
        """The files it names."""
        return tuple(filter(None, (self.cert_file, self.key_file, self.client_ca_file)))

    def context(self) -> ssl.SSLContext:
        """What OpenSSL needs for a handshake.

        Raises:
            ValueError: A file or text cannot be used; `<key>: <reason>`, which quotes neither.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = _VERSIONS[self.min_version]
        context.maximum_version = _VERSIONS[self.max_version]
        if not self.prefer_server_cipher_suites:
            context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
        if names := self._old_suites():
            context.set_ciphers(":".join(names))
        for curve in self.curve_preferences:
            context.set_ecdh_curve(_CURVES[curve])
        self._show_certificate(context)
        context.verify_mode = _VERIFICATION[self.client_auth_type]
        if self.client_auth_type != "NoClientCert":
            key, pem = _given("client_ca", self.client_ca, self.client_ca_file)
            _trust(context, key, pem)
        return context

    def _show_certificate(self, context: ssl.SSLContext) -> None:
        cert_key, cert = _given("cert", self.cert, self.cert_file)
        key_key, key = _given("key", self.key, self.key_file)
        _trust(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), cert_key, cert)  # names its own mistakes
        try:
            with (
                _as_file(cert, self.cert_file) as cert_file,
                _as_file(key, self.key_file) as key_file,
            ):
                # Without a password OpenSSL would ask for one on the terminal.
                context.load_cert_chain(cert_file, key_file, password=lambda: "")
        except OSError as error:  # ssl.SSLError is one
            word = getattr(error, "reason", None)
            if word == "KEY_VALUES_MISMATCH":
                reason = "does not belong to the certificate"
            elif "ENCRYPTED" in key:
                reason = "is encrypted; a key without a password is wanted"
            else:
                reason = f"cannot be used with the certificate ({word or 'not PEM'})"
        else:
            return
        raise ValueError(f"{key_key}: {reason}")


def _given(name: str, text: str | SecretStr | None, path: Path | None) -> tuple[str, str]:
    """The key that was used, and the PEM text it leads to."""
    if path is None:
        return name, text.get_secret_value() if isinstance(text, SecretStr) else text or ""
    try:
        return f"{name}_file", text_of(path)
    except ValueError as error:
        reason = error
    raise ValueError(f"{name}_file: {reason}")


def _trust(context: ssl.SSLContext, key: str, pem: str) -> None:
    try:
        # What is not ASCII is a comment between the certificates.
        context.load_verify_locations(cadata=pem.encode("ascii", "replace").decode())
    except ssl.SSLError:
        reason = "holds no certificates in PEM form"
    else:
        return
    raise ValueError(f"{key}: {reason}")


@contextmanager
def _as_file(text: str, path: Path | None) -> Iterator[str | Path]:
    """Where a library that reads files only finds the text; a key never touches the disk."""
    if path is not None:
        yield path
        return
    with os.fdopen(os.memfd_create("pem"), "wb") as file:
        file.write(text.encode())
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"
