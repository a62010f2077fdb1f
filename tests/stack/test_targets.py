"""The scrape configuration that docs/scraping.md gives, with a real Prometheus."""

import json
import re
import shutil
import socket
import subprocess
from collections import Counter
from pathlib import Path
from urllib.error import URLError

import pytest
import yaml
from daemon import account, exporter, serving, system
from stack.services import get

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("prometheus"), reason="needs Debian's prometheus"),
]

DOCUMENT = Path(__file__).parents[2] / "docs" / "scraping.md"
WHOLE, APART = (
    yaml.safe_load(block)
    for block in re.findall(r"```yaml\n(scrape_configs:.*?)```", DOCUMENT.read_text(), re.DOTALL)
)
SHOP = 'Köln & "Co" #1'
LABELS = {"customer": "4711", "region": "west"}
ADDED_BY_PROMETHEUS = re.compile("up|scrape_.*")


class Prometheus:
    """A server that scrapes an exporter, by these jobs, every second."""

    def __init__(self, directory, exporter_address, **jobs):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        scrapes = [
            {**job, "job_name": name, "scrape_interval": "1s", "scrape_timeout": "1s"}
            for name, config in jobs.items()
            for job in config["scrape_configs"]
        ]
        text = yaml.safe_dump({"scrape_configs": scrapes})
        (directory / "prometheus.yml").write_text(text.replace("localhost:10052", exporter_address))
        with (directory / "prometheus.log").open("w") as log:
            self._process = subprocess.Popen(  # noqa: S603  # Debian's
                [
                    shutil.which("prometheus"),
                    f"--config.file={directory / 'prometheus.yml'}",
                    f"--storage.tsdb.path={directory / 'data'}",
                    f"--web.listen-address={self.address}",
                ],
                stdout=log,
                stderr=log,
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()

    def series(self, selector):
        """The labels of each series that is there now, and its value; None before it answers."""
        try:
            answer = get(f"http://{self.address}/api/v1/query", query=selector)
        except URLError:
            return None
        return [(s["metric"], s["value"][1]) for s in json.loads(answer)["data"]["result"]]


def scrape_counts(prometheus, job):
    """How often each series was scraped, without what the scrape adds to it."""
    added = {"job", *LABELS}
    return Counter(
        tuple(sorted((name, value) for name, value in labels.items() if name not in added))
        for labels, _ in prometheus.series(f'{{job="{job}"}}') or ()
        if not ADDED_BY_PROMETHEUS.fullmatch(labels["__name__"])
    )


@pytest.fixture
def scraped(tmp_path):
    """An exporter of two accounts, and a Prometheus that scrapes it in both ways."""
    users = {"api": "password", "shop": "password"}
    with serving(system(users=users)) as server:
        once = {name: {"every": "1h"} for name in ("getStationList", "getDevList")}
        accounts = [
            account(server.url, name, username=user, password="password", labels=labels)
            for name, user, labels in (("home", "api", {}), (SHOP, "shop", LABELS))
        ]
        for each in accounts:
            each["interfaces"] |= {k: each["interfaces"][k] | v for k, v in once.items()}
        with exporter(tmp_path, accounts) as daemon:
            daemon.ready()
            address = daemon.url.removeprefix("http://")
            with Prometheus(tmp_path, address, whole=WHOLE, apart=APART) as prometheus:
                yield daemon, prometheus, address


@pytest.mark.usefixtures("servers")
def test_targets_apart_bring_each_series_of_the_whole_page_once(scraped):
    daemon, prometheus, address = scraped

    # Series come and go while it runs, so that the two are the same at some moments only.
    daemon.wait(
        lambda: scrape_counts(prometheus, "apart") == (scrape_counts(prometheus, "whole") or None)
    )

    assert set(scrape_counts(prometheus, "apart").values()) == {1}
    up = {labels.get("account"): labels for labels, _ in prometheus.series('up{job="apart"} == 1')}
    common = {"__name__": "up", "job": "apart", "instance": address}
    assert up == {
        None: common,
        "home": {**common, "account": "home"},
        SHOP: {**common, "account": SHOP, **LABELS},
    }
    labelled = prometheus.series('fusionsolar_device_info{job="apart",customer="4711"}')
    assert {labels["account"] for labels, _ in labelled} == {SHOP}
    assert len(labelled) == len(
        prometheus.series(f'fusionsolar_device_info{{job="whole",account={json.dumps(SHOP)}}}')
    )
