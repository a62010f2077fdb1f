"""The section tls_server_config of the web configuration: certificates, versions, ciphers."""

import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, SecretStr, model_validator

from exporter.config.schema import SettingsModel
from exporter.config.types import FilePath, Items, Secret, Text
from exporter.config.yaml_file import read_text

_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
_UNSUPPORTED_VERSIONS = ("TLS10", "TLS11")
_VERIFY_MODES = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}
# Go can accept unverified certificates; OpenSSL, as Python offers it, cannot.
_UNSUPPORTED_POLICIES = {
    "RequestClientCert": "VerifyClientCertIfGiven",
    "RequireAnyClientCert": "RequireAndVerifyClientCert",
}

# Go's secure cipher suites with their names in OpenSSL. Those of TLS 1.3 are always on in both.
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


def _supported_version(version: object) -> object:
    if version in _UNSUPPORTED_VERSIONS:
        raise ValueError(f"{version} is not spoken by this version of OpenSSL; use TLS12")
    return version


def _supported_policy(policy: object) -> object:
    if isinstance(policy, str) and policy in _UNSUPPORTED_POLICIES:
        raise ValueError(
            f"{policy}, which takes unverified certificates, is not offered; "
            f"use {_UNSUPPORTED_POLICIES[policy]} with client_ca_file"
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


Version = Annotated[Literal["TLS12", "TLS13"], BeforeValidator(_supported_version)]
Policy = Annotated[
    Literal["NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"],
    BeforeValidator(_supported_policy),
]
Suite = Annotated[str, AfterValidator(_known_suite)]
Curve = Literal["CurveP256", "CurveP384", "CurveP521", "X25519"]


class TlsServer(SettingsModel):
    """The section, its files not read yet. A key and the same with _file are text and file."""

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
    def _versions_and_suites_fit(self) -> Self:
        if _VERSIONS[self.min_version] > _VERSIONS[self.max_version]:
            raise ValueError("has a min_version above its max_version")
        if self.cipher_suites and self.min_version == "TLS12" and not self._tls12_suites():
            raise ValueError("has cipher_suites of TLS 1.3 alone; use min_version: TLS13 instead")
        return self

    def _tls12_suites(self) -> list[str]:
        """OpenSSL's names of the chosen suites of TLS 1.2; those of TLS 1.3 cannot be chosen."""
        return [name for suite in self.cipher_suites if (name := _SUITES[suite])]

    def files(self) -> tuple[Path, ...]:
        """The files it names."""
        return tuple(filter(None, (self.cert_file, self.key_file, self.client_ca_file)))

    def context(self) -> ssl.SSLContext:
        """A context for handshakes, its files read.

        Raises:
            ValueError: A file or text cannot be used; `<key>: <reason>`, which quotes neither.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = _VERSIONS[self.min_version]
        context.maximum_version = _VERSIONS[self.max_version]
        if not self.prefer_server_cipher_suites:
            context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
        if names := self._tls12_suites():
            context.set_ciphers(":".join(names))
        for curve in self.curve_preferences:
            context.set_ecdh_curve(_CURVES[curve])
        self._load_certificate(context)
        context.verify_mode = _VERIFY_MODES[self.client_auth_type]
        if self.client_auth_type != "NoClientCert":
            key, pem = _pem_of("client_ca", self.client_ca, self.client_ca_file)
            _trust(context, key, pem)
        return context

    def _load_certificate(self, context: ssl.SSLContext) -> None:
        cert_key, cert = _pem_of("cert", self.cert, self.cert_file)
        key_key, key = _pem_of("key", self.key, self.key_file)
        _trust(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), cert_key, cert)  # has errors of its own
        try:
            with (
                _as_file(cert, self.cert_file) as cert_file,
                _as_file(key, self.key_file) as key_file,
            ):
                # Without a password OpenSSL would ask for one on the terminal.
                context.load_cert_chain(cert_file, key_file, password=lambda: "")
        except OSError as error:  # ssl.SSLError is one
            cause = getattr(error, "reason", None)
            if cause == "KEY_VALUES_MISMATCH":
                reason = "does not belong to the certificate"
            elif "ENCRYPTED" in key:
                reason = "is encrypted; a key without a password is wanted"
            else:
                reason = f"cannot be used with the certificate ({cause or 'not PEM'})"
            raise ValueError(f"{key_key}: {reason}") from None


def _pem_of(name: str, text: str | SecretStr | None, path: Path | None) -> tuple[str, str]:
    """The name of the key that is set, and its PEM text."""
    if path is None:
        return name, text.get_secret_value() if isinstance(text, SecretStr) else text or ""
    try:
        return f"{name}_file", read_text(path)
    except ValueError as error:
        raise ValueError(f"{name}_file: {error}") from None


def _trust(context: ssl.SSLContext, key: str, pem: str) -> None:
    try:
        # What is not ASCII is a comment between the certificates.
        context.load_verify_locations(cadata=pem.encode("ascii", "replace").decode())
    except ssl.SSLError:
        raise ValueError(f"{key}: holds no certificates in PEM form") from None


@contextmanager
def _as_file(text: str, path: Path | None) -> Iterator[str | Path]:
    """A path for a library that reads files only; the text itself never reaches the disk."""
    if path is not None:
        yield path
        return
    with os.fdopen(os.memfd_create("pem"), "wb") as file:
        file.write(text.encode())
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"
