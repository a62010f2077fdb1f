"""How much code there is, and how far one answer travels through it: figures for a redesign.

Counts the lines of `exporter/` and whatever stands out in them, then polls two simulated plants and
follows the call that brings one answer of getDevRealKpi.
"""

import ast
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import yaml

from exporter.account.database import Database
from exporter.account.login import HostGate
from exporter.account.poller import Poller
from exporter.clock import SystemClock
from exporter.config import load
from exporter.exposition.page import Page
from exporter.exposition.telemetry import Telemetry
from exporter.simulator.http.server import Server
from exporter.simulator.http.system import System
from exporter.simulator.world.fleet import build
from exporter.wiring import account_config, client_of, poll_configs, view_of

PACKAGE = Path(__file__).parents[1] / "exporter"
LONG_FILE, LONG_FUNCTION = 400, 50  # lines
# What a codec would do for all of them.
PERSISTENCE = frozenset({"recall", "remember", "changes", "forget"})
USERS = {"api": "secret"}
FOLLOWED = "getDevRealKpi"
STEPS = 100  # at most, until that call is made
MINUTE = 0.5  # seconds that a minute of the limits lasts
Function = tuple[str, str]  # module and name


def main() -> None:
    """Prints all figures, one a line."""
    files = [path for path in sorted(PACKAGE.rglob("*.py")) if "simulator" not in path.parts]
    trees = {path: ast.parse(path.read_text("utf-8")) for path in files}
    lines = {path: len(path.read_text("utf-8").splitlines()) for path in files}
    print(f"lines without the simulator: {sum(lines.values())} in {len(files)} files")
    _report("files over 400 lines", (path.name for path, n in lines.items() if n > LONG_FILE))
    functions = [node for tree in trees.values() for node in _functions(tree)]
    _report("functions over 50 lines", (f.name for f in functions if _length(f) > LONG_FUNCTION))
    _report("definitions of persistence", (f.name for f in functions if f.name in PERSISTENCE))
    classes = Counter(
        node.name.lstrip("_")
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    )
    _report("class names that stand more than once", (each for each, n in classes.items() if n > 1))
    calls = _calls_of_an_answer()
    modules = {callee[0] for _, callee in calls}
    between = [{_package(caller[0]), _package(callee[0])} for caller, callee in calls]
    moves = [pair for pair in between if len(pair - {None}) > 1]
    print(
        f"one answer of {FOLLOWED}: {len(modules)} modules entered, "
        f"{len(moves)} calls from one package into another"
    )


def _report(what: str, names: Iterable[str]) -> None:
    found = Counter(names)
    listed = ", ".join(f"{each} {n}" if n > 1 else each for each, n in found.most_common())
    print(f"{what}: {found.total()}{f' ({listed})' if listed else ''}")


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _package(module: str) -> str | None:
    """The package a module stands in; none for those above all packages, such as the clock."""
    _, *packages, _ = module.split(".")
    return packages[0] if packages else None


def _calls_of_an_answer() -> set[tuple[Function, Function]]:
    """Which function of the exporter calls which while one answer is asked for and taken in."""
    calls: set[tuple[Function, Function]] = set()

    def enter(frame: FrameType, event: str, _: Any) -> None:
        caller = frame.f_back
        while caller is not None and not _is_ours(caller):
            caller = caller.f_back
        if event == "call" and caller is not None and _is_ours(frame):
            calls.add((_function(caller), _function(frame)))

    system = System(
        build(0, plants=2), clock=time.time, limits="classic", minute=MINUTE, users=USERS
    )
    with Server(system) as server:
        poller, telemetry = _poller(server.url)
        poller.restore()
        for _ in range(STEPS):
            before = _requests(telemetry)
            calls.clear()
            sys.setprofile(enter)
            delay = poller.step()
            sys.setprofile(None)
            if _requests(telemetry) > before:
                return calls
            time.sleep(max(0.0, delay))
    raise TimeoutError(f"{FOLLOWED} was not called")


def _is_ours(frame: FrameType) -> bool:
    """Whether somebody wrote this function: not those that dataclasses make."""
    module = frame.f_globals.get("__name__", "")
    if frame.f_code.co_filename == "<string>":
        return False
    return module.startswith("exporter.") and ".simulator" not in module


def _function(frame: FrameType) -> Function:
    return frame.f_globals["__name__"], frame.f_code.co_qualname


def _poller(url: str) -> tuple[Poller, Telemetry]:
    """An account's poller, wired as in the daemon."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "config.yaml"
        home = {"base_url": url, "username": "api", "password": "secret", "limits": "classic"}
        path.write_text(yaml.safe_dump({"accounts": [home], "state": {"directory": None}}))
        settings = load(path, {})
    account, scale, clock, telemetry = settings.accounts[0], MINUTE / 60, SystemClock(), Telemetry()
    polled = tuple(poll_configs(settings, account, scale))
    telemetry.introduce(account.name, [each.interface.name for each in polled])
    page = Page(telemetry.registries, clock.now)
    poller = Poller(
        account_config(settings, account, polled, scale),
        client=client_of(account),
        view=view_of(settings, account, polled, page=page, telemetry=telemetry, clock=clock),
        clock=clock,
        gate=HostGate(),
        database=Database(),
    )
    return poller, telemetry


def _requests(telemetry: Telemetry) -> float:
    return telemetry.value("default", "fusionsolar_api_requests_total", interface=FOLLOWED) or 0.0


if __name__ == "__main__":
    main()
