"""The house: who may import whom, and that an import alone does nothing."""

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# What each room may import besides itself: a room stands for all that is in it.
ROOMS = {
    "": (),  # the package itself: its name alone
    "northbound": (),
    "catalogue": ("northbound.device_types", "northbound.enums"),
    "config": (
        "northbound.device_types",
        "northbound.enums",
        "northbound.interfaces",
        "exposition.label_names",
        "web.access",
    ),
    "status": ("northbound.errors",),
    "clock": (),
    "sky": ("northbound.interfaces",),
    "package_data": (),
    "account": ("northbound", "clock", "sky", "status.model"),
    "exposition": (
        *("northbound", "catalogue", "status.model"),
        *("account.changes", "account.counters", "account.fleet", "account.learned_power"),
        *("account.model", "sky"),
    ),
    "web": ("exposition.page", "package_data", "status"),
    "history": ("northbound", "catalogue", "clock", "account", "exposition"),
    "simulator": ("northbound.device_types", "northbound.enums", "northbound.interfaces"),
    "logs": (),
    "wiring": ("northbound", "clock", "config", "account", "exposition"),
    "archives": ("config", "account", "history", "wiring"),
    "history_wiring": (
        *("northbound", "clock", "config", "account", "exposition", "history", "wiring"),
        "archives",
    ),
    "running_account": (
        *("northbound", "clock", "config", "account", "exposition", "history_wiring"),
    ),
    "accounts": (
        *("northbound", "clock", "config", "account", "exposition", "status.model", "wiring"),
        *("archives", "history_wiring", "running_account"),
    ),
    "replicas": (
        *("clock", "config", "account", "exposition", "accounts", "archives", "wiring"),
        "running_account",
    ),
    "daemon": (
        *("northbound", "clock", "config", "account", "exposition", "web", "accounts"),
        *("replicas", "wiring"),
    ),
    "commands": (
        *("northbound", "clock", "catalogue", "config", "account", "exposition", "web"),
        *(
            "simulator",
            "logs",
            "daemon",
            "wiring",
            "status",
            "package_data",
            "history",
            "history_wiring",
        ),
        "archives",
    ),
    "cli": ("config", "account", "web", "logs", "daemon", "commands"),
    "__main__": ("cli",),
}

# The same of folders inside a room.
FOLDERS = {
    "simulator.world": ("northbound.device_types", "northbound.enums", "northbound.interfaces"),
    "simulator.endpoints": (
        "northbound.device_types",
        "northbound.enums",
        "northbound.interfaces",
        "simulator.world",
    ),
}

# Where a library may be imported.
LIBRARIES = {
    "requests": ("northbound.transport",),
    "urllib3": ("northbound",),
    "psycopg": ("account.postgresql",),
    "yaml": ("config.yaml_file",),
    "pydantic": (
        "config",
        "account.codec",
        "account.counters",
        "account.quotas",
        "history.archive",
        "northbound.records",
    ),
    "prometheus_client": ("exposition", "web"),
    "cramjam": ("history.targets.remote_write",),
    "google": ("history.targets.remote_write",),
    "isal": ("web.page_cache",),
    "starlette": ("web", "simulator"),
    "uvicorn": ("web", "simulator"),
    "structlog": (
        *("accounts", "cli", "daemon", "logs", "config", "account", "exposition", "web", "wiring"),
        "history_wiring",
    ),
    "astral": ("sky",),
    "bcrypt": ("web.passwords",),
    "jinja2": ("web.html",),
    "markdown_it": ("web.documents",),
    "mdit_py_plugins": ("web.documents",),
}

MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "exporter").rglob("*.py"))
}


@cache
def imports(module):
    """The modules that a module imports, wherever in it."""
    return tuple(_imports(module))


def _imports(module):
    for node in ast.walk(ast.parse(MODULES[module].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield submodule if submodule in MODULES else node.module


def within(module, places):
    return any(f"{module}.".startswith(f"{place}.") for place in places)


def inside(module):
    """A module's name inside the package."""
    return module.removeprefix("exporter").removeprefix(".")


def test_every_module_has_a_room():
    assert {inside(module).split(".")[0] for module in MODULES} == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS | FOLDERS)
def test_imports_point_one_way(room):
    allowed = ("", room, *(ROOMS | FOLDERS)[room])
    against = [
        f"{module} imports {imported}"
        for module in MODULES
        if within(inside(module), [room])
        for imported in imports(module)
        if within(imported, ["exporter"]) and not within(inside(imported), allowed)
    ]
    assert against == []


def test_a_library_stays_in_its_rooms():
    against = [
        f"{module} imports {imported}"
        for module in MODULES
        for imported in imports(module)
        if (library := imported.split(".")[0]) not in {"exporter", *sys.stdlib_module_names}
        and not within(inside(module), LIBRARIES.get(library, ()))
    ]
    assert against == []


# Imports module after module and tells, for each, what happened beyond that. The libraries come
# first: urllib3 binds a socket to see whether there is IPv6.
WATCH = """
import importlib, json, logging, os, signal, sys, threading

happened = []
STIRRING = ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo",
            "subprocess.Popen", "os.system", "os.fork")

def watch(event, arguments):
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if event in STIRRING or writes:
        happened.append(f"{event} {arguments[0]!r}")

def state():
    return {
        "signals": [str(signal.getsignal(number)) for number in sorted(signal.valid_signals())],
        "environment": dict(os.environ),
        "root logger": [logging.getLogger().level, *map(str, logging.getLogger().handlers)],
    }

libraries, modules = json.loads(sys.argv[1])
for library in libraries:
    importlib.import_module(library)
before = state()
sys.addaudithook(watch)
threading.Thread.start = lambda thread: happened.append(f"start {thread!r}")
told = {}
for module in modules:
    importlib.import_module(module)
    after = state()
    changes = happened + [key for key in before if before[key] != after[key]]
    if changes:
        told[module] = changes
    before, happened[:] = after, []

from prometheus_client import REGISTRY
ours = [family.name for family in REGISTRY.collect() if family.name.startswith("fusionsolar")]
print(json.dumps({"stirred": told, "registered": ours}))
"""


@pytest.mark.slow
def test_nothing_happens_on_import():
    silent = [module for module in MODULES if module != "exporter.__main__"]  # that one is a run
    child = subprocess.run(  # noqa: S603  # because the program is the one above
        [sys.executable, "-B", "-c", WATCH, json.dumps([list(LIBRARIES), silent])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert child.stderr == ""
    assert child.stdout == '{"stirred": {}, "registered": []}\n'


# What takes memory and a daemon needs late, or never, besides all commands.
LATE = (
    *("bcrypt", "cramjam", "google", "jinja2", "markdown_it", "psycopg"),
    *("exporter.commands", "exporter.history", "exporter.history_wiring", "exporter.simulator"),
)
FOR_ALL = {"exporter.commands", "exporter.commands.options"}
# A daemon that ends as soon as it serves.
START = """
import sys

from exporter import cli, daemon

daemon.server.serve = lambda *_: None
cli.main(sys.argv[1:])
print(*sys.modules, sep="\\n")
"""


@pytest.mark.slow
def test_a_daemon_starts_without_what_few_need(tmp_path):
    account = {"base_url": "http://127.0.0.1:9", "username": "u", "password": "p"}
    settings = {"accounts": [account], "state": {"directory": str(tmp_path / "state")}}
    (tmp_path / "config.yaml").write_text(json.dumps(settings))  # JSON is YAML
    started = subprocess.run(  # noqa: S603  # because the program is the one above
        [
            *(sys.executable, "-c", START),
            *("--config.file", tmp_path / "config.yaml", "--web.listen-address", "127.0.0.1:0"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = started.stdout.splitlines()
    assert "exporter.accounts" in loaded
    assert {module for module in loaded if within(module, LATE)} == FOR_ALL
