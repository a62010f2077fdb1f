"""A directory with a web configuration, and certificates for it."""

from pathlib import Path

import trustme
import yaml

from exporter.config.web import WebConfig
from exporter.web.access import AccessRules

HASH = "$2b$04$Z//5ngFxCiSscWWtdEfd3eiRUqD5Ha6f5Vryi4.ooFeBOptCHr3D2"


class Clock:
    at = 100.0

    def __call__(self) -> float:
        return self.at


class WebDirectory:
    """A directory with a web configuration, and certificates for it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / "web.yaml"
        self.clock = Clock()
        self.ca = trustme.CA()
        self.write_certificate("one.example")
        self.ca.cert_pem.write_to_path(directory / "ca.pem")

    def write_certificate(self, name: str) -> None:
        certificate = self.ca.issue_cert(name)
        certificate.cert_chain_pems[0].write_to_path(self.directory / "server.pem")
        certificate.private_key_pem.write_to_path(self.directory / "server.key")

    def text(self, file: str) -> str:
        return (self.directory / file).read_text()

    def write(self, **sections: object) -> None:
        self.path.write_text(yaml.safe_dump(sections))

    def write_tls(self, **keys: object) -> None:
        parameters = {"cert_file": "server.pem", "key_file": "server.key", **keys}
        self.write(tls_server_config={key: each for key, each in parameters.items() if each})

    def open(self) -> WebConfig:
        return WebConfig(self.path, self.clock)

    def read(self) -> AccessRules:
        return self.open().current()
