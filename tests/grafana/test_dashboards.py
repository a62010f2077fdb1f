"""The dashboards: in step with their sources, sound for Prometheus and Grafana, all alike."""

import io
import json
import re
import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from itertools import chain, combinations
from pathlib import Path

import pytest
import yaml

from exporter import cli
from exporter.northbound.enums import INVERTER_STATES

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
GRAFANA = ROOT / "grafana"
FILES = sorted((GRAFANA / "dashboards").glob("*.json"))
DASHBOARDS = [json.loads(file.read_text("utf-8")) for file in FILES]


def rows_and_panels(dashboard):
    """Rows and panels, those of folded rows too."""
    return [each for panel in dashboard["panels"] for each in (panel, *panel.get("panels", ()))]


def panels(dashboard):
    return [each for each in rows_and_panels(dashboard) if each["type"] != "row"]


PANELS = [panel for dashboard in DASHBOARDS for panel in panels(dashboard)]
each_dashboard = pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda each: each["uid"])

SELECTOR = re.compile(r"\b((?:fusionsolar|process|scrape)_\w+)(\{[^}]*\})?")
PROMETHEUS_OWN = {"scrape_duration_seconds", "scrape_samples_scraped"}
OF_THE_PROCESS = {"process_cpu_seconds_total", "process_resident_memory_bytes"}
# Counters of calls and alarms step every few minutes to hours, so that a rate interval says little.
WINDOWS = {"1h", "6h", "1d", "7d", "$__range"}
VARIABLES = {
    "$__rate_interval": "5m",
    "$__range": "1d",
    "$import_price": "0.30",
    "$export_price": "0.08",
}

PROMTOOL = shutil.which("promtool")
NODE_MODULES = ROOT / "build" / "grafana" / "node_modules"


def queries(panel):
    return [target["expr"] for target in panel["targets"]]


def variables(dashboard):
    return {variable["name"]: variable for variable in dashboard["templating"]["list"]}


@pytest.fixture(scope="module")
def known_metrics():
    """The names of all samples that the exporter can expose."""
    output = io.StringIO()
    with redirect_stdout(output):
        cli.main(["metrics", "--format", "json"])
    entries = json.loads(output.getvalue())
    names = {entry[key] for entry in entries for key in ("metric", "code_metric") if entry.get(key)}
    histograms = {entry["metric"] for entry in entries if entry["type"] == "histogram"}
    parts = {f"{name}_{part}" for name in histograms for part in ("bucket", "count", "sum")}
    return names | parts | PROMETHEUS_OWN | OF_THE_PROCESS


def test_the_json_is_what_the_sources_write(tmp_path):
    command = [sys.executable, "-m", "grafana.source", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603  # because it is ours
    written = {file.name: file.read_text("utf-8") for file in tmp_path.iterdir()}
    assert written == {file.name: file.read_text("utf-8") for file in FILES}


def test_there_are_nine_dashboards_each_with_a_uid_and_a_title_of_its_own():
    assert len({each["uid"] for each in DASHBOARDS}) == 9
    assert len({each["title"] for each in DASHBOARDS}) == 9
    assert [file.stem for file in FILES] == [each["uid"] for each in DASHBOARDS]


@each_dashboard
def test_a_dashboard_can_be_imported_anywhere_and_edited_there(dashboard):
    assert (dashboard["id"], dashboard["editable"], dashboard["schemaVersion"]) == (None, True, 42)
    assert dashboard["tags"] == ["fusionsolar"]
    assert (dashboard["refresh"], dashboard["time"]) == ("1m", {"from": "now-24h", "to": "now"})
    assert [link["tags"] for link in dashboard["links"]] == [["fusionsolar"]]
    assert all(link["includeVars"] and link["keepTime"] for link in dashboard["links"])


@each_dashboard
def test_a_dashboard_asks_first_for_data_source_job_instance_and_account(dashboard):
    found = variables(dashboard)
    assert list(found)[:4] == ["datasource", "job", "instance", "account"]
    assert [v["label"] for v in found.values() if v["type"] == "datasource"] == ["Data Source"]
    for name in ("job", "instance", "account"):
        assert (found[name]["multi"], found[name]["allValue"]) == (True, ".+")


@each_dashboard
def test_a_dashboard_names_what_it_requires_of_grafana(dashboard):
    grafana, source, *panels = dashboard["__requires"]
    assert (grafana["id"], grafana["version"]) == ("grafana", "11.0.0")
    assert (source["type"], source["id"]) == ("datasource", "prometheus")
    kinds = {panel["type"] for panel in rows_and_panels(dashboard)} - {"row"}
    assert [(each["type"], each["id"]) for each in panels] == [("panel", k) for k in sorted(kinds)]
    assert all(each["name"] for each in panels)


@each_dashboard
def test_alerts_are_marked_and_where_plants_are_chosen_serious_alarms_too(dashboard):
    marks = {each["name"]: each for each in dashboard["annotations"]["list"]}
    assert marks["Alerts"]["target"]["expr"].startswith('ALERTS{alertname=~"FusionSolar.+"')
    assert ("Alarms" in marks) == ("plant" in variables(dashboard))
    if "Alarms" in marks:
        assert 'plant_code=~"$plant"' in marks["Alarms"]["target"]["expr"]
        assert 'severity=~"critical|major"' in marks["Alarms"]["target"]["expr"]
    for mark in marks.values():
        assert mark["enable"]
        assert mark["datasource"]["uid"] == "${datasource}"
        assert mark["titleFormat"]


def query_variables(dashboard):
    """The variables whose values are queried from Prometheus."""
    return {n: each for n, each in variables(dashboard).items() if each["type"] == "query"}


@each_dashboard
def test_a_variable_is_asked_anew_for_another_time_and_chains_to_those_before_it(dashboard):
    before = ["job", "instance", "account", "plant", "device"]
    for name, variable in query_variables(dashboard).items():
        assert variable["refresh"] == 2
        assert variable["datasource"]["uid"] == "${datasource}"
        used = dict.fromkeys(re.findall(r"\$(\w+)", variable["query"]["query"]))
        assert list(used) == before[: before.index(name)]


@each_dashboard
def test_things_are_chosen_by_name_even_by_one_with_quotes_and_without_one_by_key(dashboard):
    for name in variables(dashboard).keys() & {"plant", "device"}:
        pattern = variables(dashboard)[name]["regex"].strip("/").replace("(?<", "(?P<")
        key = {"plant": "plant_code", "device": "device_id"}[name]
        shown = f'{{{key}="NE=1",{name}_name="Bodega "El Sol""}} 1 1790000000000'
        assert re.search(pattern, shown).groupdict() == {"value": "NE=1", "text": 'Bodega "El Sol"'}
        nameless = f'{{{key}="NE=1"}} 1 1790000000000'
        assert re.search(pattern, nameless).groupdict() == {"value": "NE=1", "text": None}


@each_dashboard
def test_panels_stand_side_by_side_and_bear_numbers_of_their_own(dashboard):
    ids = [panel["id"] for panel in rows_and_panels(dashboard)]
    assert ids == list(range(1, len(ids) + 1))
    folded = [panel for panel in dashboard["panels"] if panel.get("panels")]
    for inside, start in (
        (dashboard["panels"], 0),
        *((row["panels"], row["gridPos"]["y"] + 1) for row in folded),
    ):
        boxes = [panel["gridPos"] for panel in inside]
        assert [box for box in boxes if box["x"] + box["w"] > 24] == []
        assert [pair for pair in combinations(boxes, 2) if overlap(*pair)] == []
        height = max(b["y"] + b["h"] for b in boxes) - start
        assert sum(box["w"] * box["h"] for box in boxes) == 24 * height


def overlap(one, other):
    return all(
        one[at] < other[at] + other[size] and other[at] < one[at] + one[size]
        for at, size in (("x", "w"), ("y", "h"))
    )


@each_dashboard
def test_a_panel_says_what_it_shows_and_in_what_unit(dashboard):
    for panel in panels(dashboard):
        assert panel["description"].endswith("."), panel["title"]
        assert panel["description"].rstrip(".") != panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]


@each_dashboard
def test_a_panel_asks_the_chosen_data_source_job_and_instance(dashboard):
    for panel in panels(dashboard):
        asked = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert {each["uid"] for each in asked} == {"${datasource}"}, panel["title"]
    for query in chain.from_iterable(map(queries, panels(dashboard))):
        for name, matchers in SELECTOR.findall(query):
            assert 'job=~"$job"' in matchers, name
            assert 'instance=~"$instance"' in matchers, name
        used = set(re.findall(r"\$([a-z]\w*)", query))
        assert used <= variables(dashboard).keys(), query


@each_dashboard
def test_a_panel_invents_no_value_and_counts_over_a_fitting_time(dashboard):
    for query in chain.from_iterable(map(queries, panels(dashboard))):
        assert "vector(" not in query
        assert "scalar(" not in query  # NaN of nothing, as at night
        assert set(re.findall(r"\brate\([^\[]*\[([^\]]*)\]", query)) <= {"$__rate_interval"}
        assert set(re.findall(r"\bincrease\([^\[]*\[([^\]]*)\]", query)) <= WINDOWS


def test_a_number_over_its_course_is_that_of_now_or_none():
    courses = [panel for panel in PANELS if panel["options"].get("graphMode") == "area"]
    assert len(courses) == 11
    for panel in courses:
        (query,) = queries(panel)
        assert query.endswith(' or sum(up{job=~"$job", instance=~"$instance"}) * NaN')
        assert panel["options"]["reduceOptions"]["calcs"] == ["last"]
        (nothing,) = panel["fieldConfig"]["defaults"]["mappings"]
        assert nothing["options"] == {"match": "nan", "result": {"text": "-", "index": 0}}
        assert panel["gridPos"]["h"] >= 5, panel["title"]  # or Grafana leaves the course out


def test_a_home_is_asked_for_its_plant_and_two_prices_only():
    (home,) = (each for each in DASHBOARDS if each["uid"] == "fusionsolar-home")
    hidden = {
        each["uid"]: [n for n, variable in variables(each).items() if variable.get("hide", 0)]
        for each in DASHBOARDS
    }
    assert hidden.pop("fusionsolar-home") == ["datasource", "job", "instance", "account"]
    assert not any(hidden.values())
    assert list(variables(home))[4:] == ["plant", "import_price", "export_price"]
    first = sorted(home["panels"], key=lambda panel: (panel["gridPos"]["y"], panel["gridPos"]["x"]))
    assert [panel["title"] for panel in first[:2]] == ["Now", "Today"]
    # A telephone shows them below each other, in rows of 38 pixels: 844 less the controls.
    assert sum(panel["gridPos"]["h"] for panel in first[:2]) * 38 < 844 - 190


def test_the_energy_flow_negates_what_takes_and_nothing_else():
    """So that Grafana, which takes -0 for negative, stacks each series to its side."""
    (flow,) = (panel for panel in PANELS if panel["title"] == "Energy flow")
    taking = [each["legendFormat"] for each in flow["targets"] if each["expr"].startswith("-")]
    supplying = {each["legendFormat"] for each in flow["targets"]} - set(taking)
    assert taking == ["load", "charge", "feed-in"]
    assert supplying == {"PV", "discharge", "from the grid"}


def test_an_area_of_nothing_draws_no_line_over_those_it_is_stacked_on():
    looks = [panel["fieldConfig"]["defaults"].get("custom", {}) for panel in PANELS]
    areas = [
        look
        for look in looks
        if look.get("stacking", {}).get("mode") == "normal" and look["drawStyle"] == "line"
    ]
    assert len(areas) == 7
    assert {look["lineWidth"] for look in areas} == {0}


def test_the_sign_of_a_power_is_told_where_it_is_seen():
    signed = [panel for panel in PANELS if "negative while" in panel["description"]]
    assert len(signed) == 7
    for panel in signed:
        legends = [target.get("legendFormat", "") for target in panel["targets"]]
        assert any("(+ " in text for text in (panel["title"], *legends)), panel["title"]
        assert panel["fieldConfig"]["defaults"].get("min") is None


def test_money_bears_its_currency():
    prices = [
        target
        for panel in PANELS
        for target in panel["targets"]
        if re.search(r"\$(import|export)_price", target["expr"])
    ]
    assert len(prices) == 10
    assert all("{{currency}}" in target["legendFormat"] for target in prices)


def test_devices_of_one_plant_bear_names_of_their_own():
    named = [
        target
        for panel in PANELS
        if panel["type"] != "table"
        for target in panel["targets"]
        if "group_left (device_name)" in target["expr"]
    ]
    assert len(named) > 20
    assert [each for each in named if "{{device_name}}" not in each["legendFormat"]] == []


def test_every_metric_that_is_asked_for_exists(known_metrics):
    asked = {
        name
        for panel in PANELS
        for query in queries(panel)
        for name, _matchers in SELECTOR.findall(query)
    } | {
        name
        for dashboard in DASHBOARDS
        for variable in query_variables(dashboard).values()
        for name, _matchers in SELECTOR.findall(variable["query"]["query"])
    }
    assert len(asked) > 70
    assert asked - known_metrics == set()


def test_a_state_code_is_shown_by_the_name_that_the_exporter_gives_it():
    timelines = [
        panel
        for panel in PANELS
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
    for panel in PANELS:
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
