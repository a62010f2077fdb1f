"""What panels of the dashboards ask, and what promtool answers on series of our own."""

import json
from itertools import chain
from pathlib import Path

from prometheus.promtool import PROMTOOL, run

FILES = (Path(__file__).parents[2] / "grafana" / "dashboards").glob("*.json")
DASHBOARDS = {
    file.stem.removeprefix("fusionsolar-"): json.loads(file.read_text("utf-8")) for file in FILES
}
CHOSEN = {
    "$__range": "1h",
    "$job": ".+",
    "$instance": ".+",
    "$account": ".+",
    "$plant": "P",
    "$device": "D",
    "$import_price": "0.30",
    "$export_price": "0.08",
}
SCRAPED = {"job": "fusionsolar", "instance": "exporter", "account": "home", "plant_code": "P"}
KWH = 3_600_000


def chosen(query):
    """The query, with everything chosen."""
    for variable, value in CHOSEN.items():
        query = query.replace(variable, value)
    return query


def panels(dashboard):
    """Its panels, those of folded rows too."""
    rows = DASHBOARDS[dashboard]["panels"]
    every = chain.from_iterable((panel, *panel.get("panels", ())) for panel in rows)
    return [panel for panel in every if panel["type"] != "row"]


def asked(dashboard, title, legend=None):
    """The expression of a panel, with everything chosen."""
    (panel,) = (each for each in panels(dashboard) if each["title"] == title)
    targets = panel["targets"]
    (found,) = (t["expr"] for t in targets if legend is None or t["legendFormat"] == legend)
    return chosen(found)


def series(metric, *values, **labels):
    """A series of these values, one each step; None is none."""
    told = ", ".join(f'{key}="{value}"' for key, value in {**SCRAPED, **labels}.items())
    shown = " ".join("_" if value is None else repr(value) for value in values)
    return {"series": f"fusionsolar_{metric}{{{told}}}", "values": shown}


def answers(tmp_path, every, told, expression, expected):
    """Fails unless the expression gives these values of series without names, by seconds."""
    document = {
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": every,
                "input_series": told,
                "promql_expr_test": [
                    {
                        "expr": expression,
                        "eval_time": f"{at}s",
                        "exp_samples": [{"labels": label, "value": value} for label, value in some],
                    }
                    for at, some in expected.items()
                ],
            }
        ],
    }
    path = tmp_path / "case.json"  # which is YAML
    path.write_text(json.dumps(document), "utf-8")
    status, said = run(PROMTOOL, "test", "rules", str(path))
    assert status == 0, said
