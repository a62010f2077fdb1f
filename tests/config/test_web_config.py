"""What a web configuration may say, and what is said about its mistakes."""

import ssl
import traceback
from pathlib import Path

import pytest
import trustme
from config.web_directory import HASH, WebDirectory

from exporter.config import ConfigError
from exporter.config.web import WebConfig
from exporter.web.access import AccessRules

BAD = Path(__file__).parent / "web"
OTHER = HASH.replace("D2", "D3")

_WANTED = (
    "holds no settings; a mapping with tls_server_config, http_server_config, basic_auth_users or "
    "rate_limit is wanted"
)
_TLS = "tls_server_config"
_HEADERS = "http_server_config.headers"
_UNVERIFIED = "which takes unverified certificates, is not offered; use"

# One file for each kind of mistake, and all that is said about it after the file's name.
MESSAGES = {
    "cert_missing": f"{_TLS}.cert_file: cannot be read: No such file or directory",
    "cert_no_pem": f"{_TLS}.cert: holds no certificates in PEM form",
    "cert_number": f"{_TLS}.cert_file: must be a path, as text",
    "cert_twice": f"{_TLS}: needs one of cert and cert_file",
    "client_ca_none": (
        f"{_TLS}: needs a client_ca_file for client_auth_type: RequireAndVerifyClientCert"
    ),
    "client_ca_twice": f"{_TLS}: needs one of client_ca and client_ca_file, not both",
    "client_ca_unused": (
        f"{_TLS}: has a client_ca_file that nothing uses; add client_auth_type: "
        "RequireAndVerifyClientCert"
    ),
    "curve_unknown": (
        f"{_TLS}.curve_preferences[0]: must be 'CurveP256', 'CurveP384', 'CurveP521' or 'X25519'"
    ),
    "curves": (
        f"{_TLS}.curve_preferences: can hold one curve, not an order of several; leave it "
        "out for all"
    ),
    "empty": _WANTED,
    "hash_costly": "basic_auth_users.alice: costs 31, which is not between 4 and 16",
    "hash_none": (
        "basic_auth_users.alice: is no bcrypt hash, which begins with $2y$ and has 60 characters"
    ),
    "hash_number": "basic_auth_users.alice: must be text; put it in quotes",
    "header_two_lines": (
        f'{_HEADERS}["Content-Security-Policy"]: must be one line of plain ASCII, without '
        "blanks around it"
    ),
    "header_unknown": (
        f"{_HEADERS}.Server: must be 'Content-Security-Policy', "
        "'Strict-Transport-Security', 'X-Content-Type-Options', 'X-Frame-Options' or "
        "'X-XSS-Protection'"
    ),
    "header_value": f"{_HEADERS}: X-Frame-Options must be deny or sameorigin",
    "http2_number": "http_server_config.http2: must be true or false",
    "key_none": f"{_TLS}: needs one of key and key_file",
    "no_mapping": _WANTED,
    "not_yaml": (
        "line 2: is not valid YAML; look at the indentation (no tabs), and put text with "
        "special characters in quotes"
    ),
    "policy_any": (
        f"{_TLS}.client_auth_type: RequireAnyClientCert, {_UNVERIFIED} "
        "RequireAndVerifyClientCert with client_ca_file"
    ),
    "policy_request": (
        f"{_TLS}.client_auth_type: RequestClientCert, {_UNVERIFIED} "
        "VerifyClientCertIfGiven with client_ca_file"
    ),
    "policy_unknown": (
        f"{_TLS}.client_auth_type: must be 'NoClientCert', 'VerifyClientCertIfGiven' or "
        "'RequireAndVerifyClientCert'"
    ),
    "rate_negative": "rate_limit.burst: must be at least 0",
    "rate_no_burst": "rate_limit: needs a burst of 1 or more, or it would refuse every request",
    "rate_number": 'rate_limit.interval: "1" has no unit; write 30s or 1h30m',
    "sans_optional": (
        f"{_TLS}: has client_allowed_sans, which need client_auth_type: RequireAndVerifyClientCert"
    ),
    "suite_insecure": (
        f"{_TLS}.cipher_suites[0]: is no cipher suite that Go calls secure, by its name there"
    ),
    "suites_new": f"{_TLS}: has cipher_suites of TLS 1.3 alone; use min_version: TLS13 instead",
    "tls_empty": f"{_TLS}: needs one of cert and cert_file",
    "tls_null": f"{_TLS}: has no value",
    "tls_unknown_key": (
        f"{_TLS}.ca_file: unknown key; did you mean cert_file or key_file or client_ca_file?"
    ),
    "unknown_section": (
        "tls_config: unknown key; did you mean tls_server_config or http_server_config?"
    ),
    "user_colon": (
        'basic_auth_users["alice:b"]: must not hold a colon, which ends the name in a request'
    ),
    "user_empty": 'basic_auth_users[""]: must not be empty',
    "users_list": "basic_auth_users: must be a mapping, such as {key: value}",
    "version_old": f"{_TLS}.min_version: TLS10 is not spoken by this version of OpenSSL; use TLS12",
    "version_order": f"{_TLS}: has a min_version above its max_version",
    "version_unknown": f"{_TLS}.min_version: must be 'TLS12' or 'TLS13'",
}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_bad_file_is_refused_in_one_line_that_names_the_place(name: str) -> None:
    path = BAD / f"{name}.yaml"
    with pytest.raises(ConfigError) as refusal:
        WebConfig(path)
    assert str(refusal.value) == f"{path}: {MESSAGES[name]}"


def test_every_bad_file_has_its_message() -> None:
    assert {path.stem for path in BAD.iterdir()} == set(MESSAGES)


# What is in it


def test_nothing_asked_for_is_plain_http_for_everybody(web_directory) -> None:
    web_directory.path.write_text("{}")
    assert web_directory.read() == AccessRules()


def test_users_headers_and_the_rate_limit_are_taken_as_they_stand(web_directory) -> None:
    web_directory.write(
        basic_auth_users={"alice": HASH, "bob": OTHER.replace("$2b$", "$2y$")},
        http_server_config={
            "http2": False,
            "headers": {"X-Frame-Options": "deny", "X-XSS-Protection": ""},
        },
        rate_limit={"interval": "100ms", "burst": 20},
    )
    rules = web_directory.read()
    assert rules.users == {
        "alice": HASH.encode(),
        "bob": OTHER.replace("$2b$", "$2y$").encode(),
    }
    assert rules.headers == {"X-Frame-Options": "deny"}
    assert (rules.interval, rules.burst) == (0.1, 20)


def test_files_are_found_beside_the_configuration(
    web_directory, monkeypatch, tmp_path_factory
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    web_directory.write_tls()
    assert web_directory.read().tls is not None


def test_certificate_key_and_authority_may_stand_in_the_file_itself(web_directory) -> None:
    web_directory.write(
        tls_server_config={
            "cert": web_directory.text("server.pem"),
            "key": web_directory.text("server.key"),
            "client_ca": web_directory.text("ca.pem"),
            "client_auth_type": "RequireAndVerifyClientCert",
        }
    )
    assert web_directory.read().tls.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    ("policy", "mode"),
    [
        ("NoClientCert", ssl.CERT_NONE),
        ("VerifyClientCertIfGiven", ssl.CERT_OPTIONAL),
        ("RequireAndVerifyClientCert", ssl.CERT_REQUIRED),
    ],
)
def test_the_policy_for_clients_is_obeyed(web_directory, policy: str, mode: ssl.VerifyMode) -> None:
    web_directory.write_tls(
        client_auth_type=policy, client_ca_file="" if policy == "NoClientCert" else "ca.pem"
    )
    assert web_directory.read().tls.verify_mode is mode


def test_versions_suites_and_their_order_are_obeyed(web_directory) -> None:
    web_directory.write_tls(
        max_version="TLS12",
        cipher_suites=["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"],
        curve_preferences=["X25519"],
    )
    tls = web_directory.read().tls
    assert (tls.minimum_version, tls.maximum_version) == (
        ssl.TLSVersion.TLSv1_2,
        ssl.TLSVersion.TLSv1_2,
    )
    old = [each["name"] for each in tls.get_ciphers() if each["protocol"] != "TLSv1.3"]
    assert old == ["ECDHE-RSA-AES256-GCM-SHA384"]
    assert tls.options & ssl.OP_CIPHER_SERVER_PREFERENCE
    web_directory.write_tls(prefer_server_cipher_suites=False, min_version="TLS13")
    tls = web_directory.read().tls
    assert tls.minimum_version is ssl.TLSVersion.TLSv1_3
    web_directory.path.write_text(
        web_directory.path.read_text() + "  prefer_server_cipher_suites: false\n"
    )
    assert not web_directory.read().tls.options & ssl.OP_CIPHER_SERVER_PREFERENCE


def encrypted(web_directory: WebDirectory) -> str:
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415  # only here

    key = form.load_pem_private_key(web_directory.text("server.key").encode(), None)
    return key.private_bytes(
        form.Encoding.PEM, form.PrivateFormat.PKCS8, form.BestAvailableEncryption(b"secret")
    ).decode()


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (lambda _: "", "cannot be used with the certificate (not PEM)"),
        (lambda _: trustme.CA().private_key_pem.bytes().decode(),
         "does not belong to the certificate"),
        (encrypted, "is encrypted; a key without a password is wanted"),
    ],
)  # fmt: skip
def test_a_key_that_cannot_be_used_is_named(web_directory, key, message: str) -> None:
    (web_directory.directory / "server.key").write_text(key(web_directory))
    web_directory.write_tls()
    with pytest.raises(ConfigError) as refusal:
        web_directory.read()
    assert str(refusal.value) == f"{web_directory.path}: tls_server_config.key_file: {message}"


def test_an_authority_without_certificates_is_named(web_directory) -> None:
    web_directory.write_tls(
        client_auth_type="RequireAndVerifyClientCert", client_ca_file="server.key"
    )
    with pytest.raises(ConfigError, match=r"client_ca_file: holds no certificates in PEM form$"):
        web_directory.read()


def test_comments_between_certificates_may_hold_any_letter(web_directory) -> None:
    (web_directory.directory / "server.pem").write_text(
        "Müller\n" + web_directory.text("server.pem")
    )
    web_directory.write_tls()
    assert web_directory.read().tls is not None


# Secrets


def test_no_hash_and_no_key_is_printed(web_directory) -> None:
    key = web_directory.text("server.key")
    web_directory.write(
        basic_auth_users={"alice": HASH},
        tls_server_config={"cert_file": "server.pem", "key": key},
    )
    assert HASH not in repr(web_directory.read())
    secret = key.splitlines()[1]
    for spoilt in (
        {"basic_auth_users": {"alice": f"{HASH}x"}},
        {"basic_auth_users": {"alice": [HASH]}},
        {"basic_auth_users": HASH},
        {"tls_server_config": {"cert_file": "server.pem", "key": [key]}},
        {"tls_server_config": {"cert": key, "key": key}},
        {"tls_server_config": {"cert_file": "server.pem", "key": key, "key_file": "server.key"}},
    ):
        web_directory.write(**spoilt)
        with pytest.raises(ConfigError) as refusal:
            web_directory.read()
        text = "".join(traceback.format_exception(refusal.value, chain=True))
        assert HASH not in text
        assert secret not in text
