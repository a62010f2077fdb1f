"""The dashboards: in step with their sources, sound for Prometheus and Grafana, all alike."""

import json
import re
import shutil
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from exporter.northbound.enums import INVERTER_STATES

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
GRAFANA = ROOT / "grafana"
FILES = sorted((GRAFANA / "dashboards").glob("*.json"))
DASHBOARDS = [json.loads(file.read_text("utf-8")) for file in FILES]
PANELS = [
    pytest.param(dashboard, panel, id=f"{dashboard['uid']}: {panel['title']}")
    for dashboard in DASHBOARDS
    for panel in dashboard["panels"]
    if panel["type"] != "row"
]
EACH = pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda each: each["uid"])

SELECTOR = re.compile(r"\b((?:fusionsolar|process|scrape)_\w+)(\{[^}]*\})?")
PROMETHEUS_OWN = {"scrape_duration_seconds", "scrape_samples_scraped"}
OF_THE_PROCESS = {"process_cpu_seconds_total", "process_resident_memory_bytes"}
# Counters of calls and alarms step every few minutes to hours, so that a rate interval says little.
WINDOWS = {"1h", "6h", "1d", "7d", "$__range"}
VARIABLES = {"$__rate_interval": "5m", "$__range": "1d"}

PROMTOOL = shutil.which("promtool")
NODE_MODULES = ROOT / "build" / "grafana" / "node_modules"


def queries(panel):
    return [target["expr"] for target in panel["targets"]]


def variables(dashboard):
    return {variable["name"]: variable for variable in dashboard["templating"]["list"]}


@pytest.fixture(scope="module")
def known():
    """Every metric that the exporter can show, by its sample names."""
    done = subprocess.run(
        [sys.executable, "-m", "exporter", "metrics", "--format", "json"],
        capture_output=True,
        check=True,
    )
    entries = json.loads(done.stdout)
    names = {entry[key] for entry in entries for key in ("metric", "code_metric") if entry.get(key)}
    histograms = {entry["metric"] for entry in entries if entry["type"] == "histogram"}
    parts = {f"{name}_{part}" for name in histograms for part in ("bucket", "count", "sum")}
    return names | parts | PROMETHEUS_OWN | OF_THE_PROCESS


def test_the_json_is_what_the_sources_write(tmp_path):
    command = [sys.executable, "-m", "grafana.source", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603  # because it is ours
    written = {file.name: file.read_text("utf-8") for file in tmp_path.iterdir()}
    assert written == {file.name: file.read_text("utf-8") for file in FILES}


def test_there_are_seven_dashboards_each_with_a_uid_and_a_title_of_its_own():
    assert len({each["uid"] for each in DASHBOARDS}) == 7
    assert len({each["title"] for each in DASHBOARDS}) == 7
    assert [file.stem for file in FILES] == [each["uid"] for each in DASHBOARDS]


@EACH
def test_a_dashboard_can_be_imported_anywhere_and_edited_nowhere(dashboard):
    assert (dashboard["id"], dashboard["editable"], dashboard["schemaVersion"]) == (None, False, 42)
    assert dashboard["tags"] == ["fusionsolar"]
    assert (dashboard["refresh"], dashboard["time"]) == ("1m", {"from": "now-24h", "to": "now"})
    assert [link["tags"] for link in dashboard["links"]] == [["fusionsolar"]]
    assert all(link["includeVars"] and link["keepTime"] for link in dashboard["links"])


@EACH
def test_a_dashboard_asks_first_for_data_source_job_instance_and_account(dashboard):
    found = variables(dashboard)
    assert list(found)[:4] == ["datasource", "job", "instance", "account"]
    assert [v["label"] for v in found.values() if v["type"] == "datasource"] == ["Data Source"]
    for name in ("job", "instance", "account"):
        assert (found[name]["multi"], found[name]["allValue"]) == (True, ".+")


@EACH
def test_a_variable_is_asked_anew_for_another_time_and_chains_to_those_before_it(dashboard):
    before = ["job", "instance", "account", "plant", "device"]
    for name, variable in list(variables(dashboard).items())[1:]:
        assert variable["refresh"] == 2
        assert variable["datasource"]["uid"] == "${datasource}"
        used = re.findall(r"\$(\w+)", variable["query"]["query"])
        assert used == before[: before.index(name)]


@EACH
def test_things_are_chosen_by_name_even_by_one_with_quotes_and_without_one_by_key(dashboard):
    for name in variables(dashboard).keys() & {"plant", "device"}:
        pattern = variables(dashboard)[name]["regex"].strip("/").replace("(?<", "(?P<")
        key = {"plant": "plant_code", "device": "device_id"}[name]
        shown = f'{{{key}="NE=1",{name}_name="Bodega "El Sol""}} 1 1790000000000'
        assert re.search(pattern, shown).groupdict() == {"value": "NE=1", "text": 'Bodega "El Sol"'}
        nameless = f'{{{key}="NE=1"}} 1 1790000000000'
        assert re.search(pattern, nameless).groupdict() == {"value": "NE=1", "text": None}


@EACH
def test_panels_stand_side_by_side_and_bear_numbers_of_their_own(dashboard):
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert ids == list(range(1, len(ids) + 1))
    boxes = [panel["gridPos"] for panel in dashboard["panels"]]
    assert [box for box in boxes if box["x"] + box["w"] > 24] == []
    assert [pair for pair in combinations(boxes, 2) if overlap(*pair)] == []
    assert sum(box["w"] * box["h"] for box in boxes) == 24 * max(b["y"] + b["h"] for b in boxes)


def overlap(one, other):
    return all(
        one[at] < other[at] + other[size] and other[at] < one[at] + one[size]
        for at, size in (("x", "w"), ("y", "h"))
    )


@pytest.mark.parametrize(("dashboard", "panel"), PANELS)
def test_a_panel_says_what_it_shows_and_in_what_unit(dashboard, panel):  # noqa: ARG001  # because it names the case
    assert panel["description"].endswith(".")
    assert panel["description"].rstrip(".") != panel["title"]
    assert panel["fieldConfig"]["defaults"]["unit"]


@pytest.mark.parametrize(("dashboard", "panel"), PANELS)
def test_a_panel_asks_the_chosen_data_source_job_and_instance(dashboard, panel):
    asked = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
    assert {each["uid"] for each in asked} == {"${datasource}"}
    for query in queries(panel):
        for name, matchers in SELECTOR.findall(query):
            assert 'job=~"$job"' in matchers, name
            assert 'instance=~"$instance"' in matchers, name
        used = set(re.findall(r"\$([a-z]\w*)", query))
        assert used <= variables(dashboard).keys()


@pytest.mark.parametrize(("dashboard", "panel"), PANELS)
def test_a_panel_invents_no_value_and_counts_over_a_fitting_time(dashboard, panel):  # noqa: ARG001  # because it names the case
    for query in queries(panel):
        assert "vector(" not in query
        assert "scalar(" not in query  # NaN of nothing, as at night
        assert set(re.findall(r"\brate\([^\[]*\[([^\]]*)\]", query)) <= {"$__rate_interval"}
        assert set(re.findall(r"\bincrease\([^\[]*\[([^\]]*)\]", query)) <= WINDOWS


def test_the_energy_flow_negates_what_takes_and_nothing_else():
    """So that Grafana, which takes -0 for negative, stacks each series to its side."""
    (flow,) = (param.values[1] for param in PANELS if param.values[1]["title"] == "Energy flow")
    taking = [each["legendFormat"] for each in flow["targets"] if each["expr"].startswith("-")]
    supplying = {each["legendFormat"] for each in flow["targets"]} - set(taking)
    assert taking == ["load", "charge", "feed-in"]
    assert supplying == {"PV", "discharge", "from the grid"}


def test_every_metric_that_is_asked_for_exists(known):
    asked = {
        name
        for _dashboard, panel in (param.values for param in PANELS)
        for query in queries(panel)
        for name, _matchers in SELECTOR.findall(query)
    } | {
        name
        for dashboard in DASHBOARDS
        for variable in list(variables(dashboard).values())[1:]
        for name, _matchers in SELECTOR.findall(variable["query"]["query"])
    }
    assert len(asked) > 70
    assert asked - known == set()


def test_a_state_code_is_shown_by_the_name_that_the_exporter_gives_it():
    timelines = [
        panel
        for _dashboard, panel in (param.values for param in PANELS)
        if panel["type"] == "state-timeline" and "inverter_state_code" in queries(panel)[0]
    ]
    assert len(timelines) == 2
    for panel in timelines:
        (mapping,) = panel["fieldConfig"]["defaults"]["mappings"]
        shown = {int(code): result["text"] for code, result in mapping["options"].items()}
        assert shown == {code: name.replace("_", " ") for code, name in INVERTER_STATES.items()}


@pytest.mark.skipif(PROMTOOL is None, reason="promtool, of Debian's package prometheus, is missing")
def test_prometheus_can_parse_every_query(tmp_path):
    rules = []
    for _dashboard, panel in (param.values for param in PANELS):
        for query in queries(panel):
            expression = query
            for variable, value in VARIABLES.items():
                expression = expression.replace(variable, value)
            rules.append({"record": f"query:{len(rules)}", "expr": expression})
    file = tmp_path / "rules.yaml"
    file.write_text(json.dumps({"groups": [{"name": "dashboards", "rules": rules}]}), "utf-8")
    done = subprocess.run(  # noqa: S603  # because the queries are ours
        [PROMTOOL, "check", "rules", "--lint=none", file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{len(rules)} rules found" in done.stdout


@pytest.mark.skipif(
    not NODE_MODULES.exists(), reason="@grafana/schema and typescript are missing: make typescript"
)
def test_the_dashboards_are_of_grafanas_own_types(tmp_path):
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    shutil.copy(HERE / "schema.ts", tmp_path)
    for file in FILES:
        (tmp_path / f"{file.stem}.ts").write_text(
            "import type { StrictDashboard } from './schema';\n"
            f"export const dashboard: StrictDashboard = {file.read_text('utf-8')}",
            "utf-8",
        )
    done = subprocess.run(  # noqa: S603  # because the files are ours
        ["node_modules/.bin/tsc", "--noEmit", "--strict", "--skipLibCheck"]
        + ["--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler"]
        + [f"{file.stem}.ts" for file in FILES],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("", 0)


def test_provisioning_offers_one_data_source_and_this_folder():
    files = sorted((GRAFANA / "provisioning").glob("*/*.yaml"))
    read = {file.parent.name: yaml.safe_load(file.read_text("utf-8")) for file in files}
    assert [each["type"] for each in read["datasources"]["datasources"]] == ["prometheus"]
    (provider,) = read["dashboards"]["providers"]
    assert (provider["type"], provider["allowUiUpdates"]) == ("file", False)
