"""The queries of the dashboards' panels, evaluated by promtool on series of the tests."""

import json
from itertools import chain
from pathlib import Path

from prometheus.promtool import PROMTOOL, run

FILES = (Path(__file__).parents[2] / "grafana" / "dashboards").glob("*.json")
DASHBOARDS = {
    file.stem.removeprefix("fusionsolar-"): json.loads(file.read_text("utf-8")) for file in FILES
}
VARIABLES = {
    "$__range": "1h",
    "$job": ".+",
    "$instance": ".+",
    "$account": ".+",
    "$plant": "P",
    "$device": "D",
    "$import_price": "0.30",
    "$export_price": "0.08",
}
TARGET_LABELS = {"job": "fusionsolar", "instance": "exporter", "account": "home", "plant_code": "P"}
KWH = 3_600_000


def with_variables(query):
    """The query with a value for each variable."""
    for variable, value in VARIABLES.items():
        query = query.replace(variable, value)
    return query


def panels(dashboard):
    """The panels of a dashboard, those of folded rows too."""
    rows = DASHBOARDS[dashboard]["panels"]
    flattened = chain.from_iterable((panel, *panel.get("panels", ())) for panel in rows)
    return [panel for panel in flattened if panel["type"] != "row"]


def panel_query(dashboard, title, legend=None):
    """The query of a panel with a value for each variable."""
    (panel,) = (each for each in panels(dashboard) if each["title"] == title)
    targets = panel["targets"]
    (query,) = (t["expr"] for t in targets if legend is None or t["legendFormat"] == legend)
    return with_variables(query)


def series(metric, *values, **labels):
    """An input series with a value for each interval, None for no sample."""
    pairs = ", ".join(f'{key}="{value}"' for key, value in {**TARGET_LABELS, **labels}.items())
    text = " ".join("_" if value is None else repr(value) for value in values)
    return {"series": f"fusionsolar_{metric}{{{pairs}}}", "values": text}


def assert_query(tmp_path, interval, input_series, query, expected):
    """Fails unless a query gives the expected samples: by seconds, pairs of labels and value."""
    document = {
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": interval,
                "input_series": input_series,
                "promql_expr_test": [
                    {
                        "expr": query,
                        "eval_time": f"{at}s",
                        "exp_samples": [
                            {"labels": labels, "value": value} for labels, value in samples
                        ],
                    }
                    for at, samples in expected.items()
                ],
            }
        ],
    }
    path = tmp_path / "case.json"  # which is YAML
    path.write_text(json.dumps(document), "utf-8")
    status, output = run(PROMTOOL, "test", "rules", str(path))
    assert status == 0, output
