"""What comes with the exporter beside its code: documents, rules, dashboards, an example.

They have their home outside the package. A wheel carries them in `exporter/data`, laid out as there
(see pyproject.toml); an editable installation reads them where they are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PACKAGE = Path(__file__).parent
_CARRIED = _PACKAGE / "data"
_ROOT = _CARRIED if _CARRIED.is_dir() else _PACKAGE.parent


@dataclass(frozen=True, slots=True)
class FileKind:
    """Files that are used together: those below `base` that match one of `patterns`."""

    about: str
    base: str
    patterns: Sequence[str]

    def files(self) -> Iterator[tuple[str, Path]]:
        """Each file's name below the base, with slashes, and where it is."""
        base = _ROOT / self.base
        for pattern in self.patterns:
            for path in sorted(base.glob(pattern)):
                yield path.relative_to(base).as_posix(), path


KINDS: Mapping[str, FileKind] = {
    "config": FileKind(
        "the configuration, with every key and its default", ".", ["config.example.yaml"]
    ),
    "rules": FileKind("Prometheus' recording rules and alerts", "prometheus", ["rules/*.yml"]),
    "examples": FileKind(
        "configurations of Prometheus and Alertmanager, with the templates of its messages",
        "prometheus",
        ["prometheus.yml", "alertmanager.yml", "templates/*.tmpl"],
    ),
    "dashboards": FileKind(
        "Grafana's dashboards, and their provisioning",
        "grafana",
        ["dashboards/*.json", "provisioning/*/*.yaml"],
    ),
    "systemd": FileKind("a unit for systemd", "deploy/systemd", ["*.service"]),
    "docs": FileKind("the documents", ".", ["docs/*.md"]),
}
