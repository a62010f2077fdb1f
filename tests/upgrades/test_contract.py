"""Who upgrades finds again what the version before had: configuration, flags, metrics, state.

State: tests/account/test_migrations.py.
"""

import re

import pytest
from upgrades import contract

from exporter.config import load
from exporter.northbound.interfaces import INTERFACES

CHANGELOG = (contract.HERE.parents[1] / "CHANGELOG.md").read_text("utf-8")
# What a user has been told of.
TOLD = "".join(
    re.findall(r"^### (?:Changed|Removed)\n(.*?)(?=^##|\Z)", CHANGELOG, re.DOTALL | re.MULTILINE)
)


def lines_before(name):
    return (contract.BEFORE / name).read_text("utf-8").splitlines()


def test_a_metric_keeps_its_name_type_and_labels_unless_the_changelog_says_so():
    now = {line.split()[0]: line.split() for line in contract.metrics()}
    lost = [
        line
        for name, *rest in map(str.split, lines_before("metrics.txt"))
        for line in [" ".join((name, *rest))]
        if not {*rest} <= {*now.get(name, ())[1:]} and f"`{name}`" not in TOLD
    ]
    assert lost == []


def test_a_flag_stays_unless_the_changelog_says_so(monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")  # a flag is not to be broken over two lines
    now = set(contract.flags())
    lost = [flag for flag in lines_before("flags.txt") if flag not in now]
    assert [flag for flag in lost if f"`{flag.split()[-1]}`" not in TOLD] == []


def values(settings):
    """All that the configuration decides, but for the place of the state."""
    (account,) = settings.accounts
    merged = {name: settings.interface(account, name) for name in INTERFACES}
    told = settings.model_dump(exclude={"state": True, "interfaces": True})
    return told | {"merged": merged}


@pytest.mark.parametrize("file", [contract.BEFORE / contract.EXAMPLE.name, contract.EXAMPLE])
def test_a_configuration_with_every_key_of_then_is_read_and_has_the_defaults(file, tmp_path):
    least = tmp_path / "config.yaml"
    least.write_text("accounts: [{username: api-user, password: s3cret}]\n")
    environment = {"FUSIONSOLAR_PASSWORD": "s3cret"}
    assert values(load(file, environment)) == values(load(least, environment))
