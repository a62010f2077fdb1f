"""The Helm chart: rendered by Helm's own engine, checked against Kubernetes' schemas.

`UPDATE_GOLDEN=1 .venv/bin/pytest tests/helm` writes the renderings; read them.
"""

import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from prometheus.promtool import PROMTOOL, needs_promtool, run

from exporter.config import load

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (find_spec("helm_python") and find_spec("kubernetes_validate")),
        reason="Helm's engine is not installed: `make release-tools` gets it",
    ),
]

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CHART = ROOT / "deploy" / "helm" / "fusionsolar-exporter"
VALUES = {
    path.stem: yaml.safe_load(path.read_text("utf-8"))
    for path in sorted((HERE / "values").glob("*.yaml"))
}
KUBERNETES = ("1.25", "1.31", "1.37")
FOREIGN = "monitoring.coreos.com/v1"  # the operator's kinds: Kubernetes has no schema of them
COPIES = ("templates/dashboards.yaml", "templates/rules.yaml")  # of files that stand elsewhere
ACCOUNT = {"accounts": [{"username": "u", "password": "p"}]}

# Of one account, without a golden rendering.
VARIANTS = {
    "an account": {"config": ACCOUNT},
    "its new password": {"config": {"accounts": [{"username": "u", "password": "q"}]}},
    "its new limits": {
        "config": {"accounts": [{"username": "u", "password": "p", "limits": "v25"}]}
    },
    "a new currency": {"config": {**ACCOUNT, "currency": "EUR"}},
}

# What must not be rendered, and a part of the reason.
REFUSED = {
    "no account": ({}, "config.accounts is empty: name an account"),
    "two configurations": (
        {"config": ACCOUNT, "existingSecret": "s"},
        "config and existingSecret exclude each other",
    ),
    "replicas without a database": ({"config": ACCOUNT, "replicas": 2}, "at '/database'"),
    "two databases": (
        {"config": ACCOUNT, "database": {"url": "postgresql://h/d", "existingSecret": "s"}},
        "at '/database'",
    ),
    "another database": (
        {"config": ACCOUNT, "database": {"url": "mysql://h/d"}},
        "'/database/url'",
    ),
    "state of one's own": ({"config": {**ACCOUNT, "state": {}}}, "at '/config'"),
    "a misspelt value": ({"config": ACCOUNT, "replcas": 1}, "'replcas' not allowed"),
    "an unknown size": ({"config": ACCOUNT, "fleet": "huge"}, "at '/fleet'"),
    "an unknown monitor": ({"config": ACCOUNT, "monitor": {"kind": "Probe"}}, "'/monitor/kind'"),
    "pages guarded by nothing": (
        {"config": ACCOUNT, "webConfig": "web.yaml"},
        "'/passwordsSecret'",
    ),
    "a label that selects": (
        {"config": ACCOUNT, "podLabels": {"app.kubernetes.io/name": "mine"}},
        "invalid propertyName 'app.kubernetes.io/name'",
    ),
    "a flag that is none": ({"config": ACCOUNT, "args": ["web.yaml"]}, "'/args/0'"),
    "an interval twice": (
        {"config": ACCOUNT, "monitor": {"endpoint": {"interval": "1m"}}},
        "'/monitor/endpoint'",
    ),
    "no image": ({"config": ACCOUNT, "image": {"repository": ""}}, "at '/image/repository'"),
    "a tag as digest": ({"config": ACCOUNT, "image": {"digest": "1.2"}}, "at '/image/digest'"),
}


@pytest.fixture(scope="module")
def helm(tmp_path_factory):
    """What the engine says of all values at once."""
    values = VALUES | VARIANTS | {name: refused for name, (refused, _) in REFUSED.items()}
    packages = tmp_path_factory.mktemp("packages")
    done = subprocess.run(  # noqa: S603  # our own program
        [sys.executable, HERE / "engine.py"],
        input=json.dumps({"chart": str(CHART), "values": values, "packages": str(packages)}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def manifests(helm, name, template=""):
    """The objects of a rendering, or of one of its templates."""
    return [
        each
        for path, text in sorted(helm["rendered"][name].items())
        if path.endswith(template or ".yaml")
        for each in yaml.safe_load_all(text)
        if each
    ]


@pytest.mark.parametrize("name", VALUES)
def test_a_rendering_is_as_it_was_read(helm, name):
    rendered = {
        path.partition("/")[2]: text.strip("\n-")
        for path, text in sorted(helm["rendered"][name].items())
    }
    text = "".join(
        f"# {path}\n---\n{text}\n"
        for path, text in rendered.items()
        if path not in COPIES and text.strip()
    )
    golden = HERE / "expected" / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8")


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("name", VALUES)
def test_kubernetes_finds_it_right(helm, name, version):
    import kubernetes_validate  # noqa: PLC0415  # where it is installed

    objects = [each for each in manifests(helm, name) if each["apiVersion"] != FOREIGN]
    assert "StatefulSet" in {each["kind"] for each in objects}
    for each in objects:
        kubernetes_validate.validate(each, version, strict=True)


# All else of a StatefulSet may change.
MUTABLE = {
    *("replicas", "template", "updateStrategy", "minReadySeconds", "revisionHistoryLimit"),
    *("persistentVolumeClaimRetentionPolicy", "ordinals"),
}


def test_an_upgrade_changes_nothing_that_kubernetes_lets_nobody_change(helm):
    selector = {
        "app.kubernetes.io/name": "fusionsolar-exporter",
        "app.kubernetes.io/instance": "pv",
    }
    volume = {
        "metadata": {"name": "state", "labels": selector},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    for name, volumes in (("one-account", [volume]), ("replicas", None)):
        (found,) = manifests(helm, name, "statefulset.yaml")
        assert found["metadata"]["name"] == "pv-fusionsolar-exporter"
        fixed = {key: value for key, value in found["spec"].items() if key not in MUTABLE}
        assert fixed == {
            "serviceName": "pv-fusionsolar-exporter",
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": selector},
            **({"volumeClaimTemplates": volumes} if volumes else {}),
        }


def test_pages_that_ask_for_users_are_probed_by_their_port(helm):
    for name, probe in (("one-account", "httpGet"), ("guarded-pages", "tcpSocket")):
        (found,) = manifests(helm, name, "statefulset.yaml")
        (container,) = found["spec"]["template"]["spec"]["containers"]
        probes = [container[f"{kind}Probe"] for kind in ("startup", "liveness", "readiness")]
        assert [probe in each for each in probes] == [True] * 3


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_work_is_not_rendered(helm, name):
    assert REFUSED[name][1] in helm["refused"][name]


def test_helm_has_nothing_to_object_to(helm):
    assert {each["error"] for each in helm["lint"]} == {"icon is recommended"}  # there is none
    assert helm["refused"].keys() == REFUSED.keys()


@pytest.mark.parametrize("name", ["one-account", "everything", "replicas"])
def test_the_exporter_takes_the_configuration_that_is_rendered(helm, name, tmp_path):
    secret, *_ = manifests(helm, name, "secret.yaml")
    (tmp_path / "config.yaml").write_text(secret["stringData"]["config.yaml"])
    for account in ("north", "south"):  # of passwordsSecret, in the same directory
        (tmp_path / account).write_text(account)
    database = VALUES[name].get("database", {"url": ""})["url"]
    settings = load(tmp_path / "config.yaml", {"FUSIONSOLAR_DATABASE": database})
    assert settings.state.url() == database
    names = [account["username"] for account in VALUES[name]["config"]["accounts"]]
    assert [account.username for account in settings.accounts] == names


def test_numbers_reach_the_exporter_as_they_are(helm):
    (secret,) = manifests(helm, "everything", "secret.yaml")
    config = yaml.safe_load(secret["stringData"]["config.yaml"])
    assert config == VALUES["everything"]["config"]


def test_a_database_is_the_state_and_its_address_is_in_a_secret_alone(helm):
    config, database = manifests(helm, "replicas", "secret.yaml")
    text = config["stringData"]["config.yaml"]
    assert yaml.safe_load(text)["state"] == {"database": "${FUSIONSOLAR_DATABASE}"}
    assert database["stringData"] == {"url": VALUES["replicas"]["database"]["url"]}
    others = [each for each in manifests(helm, "replicas") if each["kind"] != "Secret"]
    assert "pass@" not in json.dumps(others)


def test_a_changed_configuration_restarts_the_pods_and_no_pod_tells_of_a_password(helm):
    sums = [
        each["spec"]["template"]["metadata"]["annotations"]["checksum/config"]
        for name in VARIANTS
        for each in manifests(helm, name, "statefulset.yaml")
    ]
    first, password, *others = sums
    assert password == first
    assert len({first, *others}) == 3


def test_the_rules_are_those_of_prometheus(helm):
    rendered = {
        each["metadata"]["name"].removeprefix("pv-fusionsolar-exporter-"): each["spec"]
        for each in manifests(helm, "everything", "rules.yaml")
    }
    assert rendered == {
        path.stem: yaml.safe_load(path.read_text("utf-8"))
        for path in (ROOT / "prometheus" / "rules").glob("*.yml")
    }


@needs_promtool
def test_promtool_finds_the_rendered_rules_right(helm, tmp_path):
    files = []
    for each in manifests(helm, "everything", "rules.yaml"):
        files.append(tmp_path / f"{each['metadata']['name']}.yml")
        files[-1].write_text(yaml.safe_dump(each["spec"]))
    assert run(PROMTOOL, "check", "rules", *map(str, files))[0] == 0


def test_the_dashboards_are_those_of_grafana(helm):
    maps = manifests(helm, "everything", "dashboards.yaml")
    found = {name: json.loads(text) for each in maps for name, text in each["data"].items()}
    assert found == {
        path.name: json.loads(path.read_text("utf-8"))
        for path in (ROOT / "grafana" / "dashboards").glob("*.json")
    }
    assert {each["metadata"]["labels"]["grafana_dashboard"] for each in maps} == {"1"}
    assert max(len(json.dumps(each)) for each in maps) < 1_000_000  # what Kubernetes stores


def test_the_package_holds_what_the_chart_links_to(helm):
    with tarfile.open(helm["package"]) as archive:
        names = {each.name for each in archive if each.isfile()}
    rules = {path.name for path in (ROOT / "prometheus" / "rules").glob("*.yml")}
    assert {f"{CHART.name}/files/rules/{name}" for name in rules} - names == set()


def test_its_version_is_the_projects():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert (chart["version"], chart["appVersion"]) == (project["version"], project["version"])


def test_user_and_places_are_those_of_the_image(helm):
    image = (ROOT / "Dockerfile").read_text("utf-8")
    pod = manifests(helm, "one-account", "statefulset.yaml")[0]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    user = pod["securityContext"]
    assert f"USER {user['runAsUser']}:{user['runAsGroup']}\n" in image
    config, state = (mount["mountPath"] for mount in container["volumeMounts"])
    assert f'VOLUME ["{state}"]' in image
    assert f"--config.file={config}/config.yaml" in container["args"]
    assert f'CMD ["--config.file={config}/config.yaml"]' in image


def test_the_readme_of_the_chart_names_every_value():
    text = (CHART / "README.md").read_text("utf-8")
    named = set(re.findall(r"`([a-zA-Z.]+)`", text))
    values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    schema = json.loads((CHART / "values.schema.json").read_text("utf-8"))
    assert schema["properties"].keys() - {"global"} == values.keys()
    assert {key for key in values if not {n for n in named if n.split(".")[0] == key}} == set()
