"""Look at one plugin from inside a fresh interpreter; `mlcore.plugin_check` starts it and reads its report.

Whatever the plugin does at its import, exit, crash or hang included, hurts this interpreter alone.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import json
import os
import sys
import time
import traceback
import warnings
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, cast

import pluggy
from attrs import frozen

from mlcore.hookspecs import PROJECT, HookSpecs
from mlcore.plugin_bridges import BRIDGE, Bridge
from mlcore.plugin_index import ForeignPoint, PluginEntry

MAX_IMPORT_MS = 100
FOREIGN = "mlcore-check"  # a key that nobody answers to
KERNEL = {"mlcore", "attr", "attrs", "pluggy", "importlib_metadata", "zipp", "packaging", "typing_extensions"}
NETWORK = ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")


@frozen
class Imported:
    """What the import of a module did.

    cpu_ms: CPU time on top of the kernel's own. strangers: packages that are neither stdlib, the kernel's nor its own.
    events: names of what the interpreter audited.
    """

    module: ModuleType
    cpu_ms: float
    strangers: tuple[str, ...]
    events: frozenset[str]


def import_and_watch(name: str) -> Imported:
    """Import the module called *name* and tell what that did; what it raises passes."""
    events: set[str] = set()
    sys.addaudithook(lambda event, _: events.add(event))
    before, started = set(sys.modules), time.process_time()
    module = importlib.import_module(name)
    cpu_ms = (time.process_time() - started) * 1000
    tops = {found.partition(".")[0] for found in set(sys.modules) - before}
    strangers = tops - KERNEL - {name.partition(".")[0]} - set(sys.stdlib_module_names)
    return Imported(module, cpu_ms, tuple(sorted(t for t in strangers if not t.startswith("_"))), frozenset(events))


def hooks_of(module: ModuleType) -> list[str]:
    """Return the names of the functions that are marked as hooks, whether there are such hooks or not."""
    return [name for name, value in vars(module).items() if hasattr(value, f"{PROJECT}_impl")]


def arguments_of(function: object) -> list[str]:
    """Return the names of a function's arguments."""
    return list(inspect.signature(function).parameters) if callable(function) else []


def ask_foreign_key(function: object) -> object:
    """Return what a hook answers to a key of nobody; None as well when it is asked by no key. What it raises passes."""
    values = {"uri": f"{FOREIGN}://nowhere/x", "name": FOREIGN, "target_uri": f"{FOREIGN}:/x", "artifact_root": None}
    names = arguments_of(function)
    if not callable(function) or not set(names) & {"uri", "name", "target_uri"} or not set(names) <= set(values):
        return None
    answer: object = function(**{name: values[name] for name in names})
    return answer


class _Report:
    """Lines of JSON on what was the standard output; the plugin's own prints go to the standard error."""

    def __init__(self) -> None:
        self._fd = os.dup(1)
        os.dup2(2, 1)

    def stage(self, name: str) -> None:
        """Say what comes next, for the case that it is never done."""
        self._line({"stage": name})

    def fault(self, problem: str, fix: str, *, severe: bool = True) -> None:
        """Tell something that is wrong, and what to do about it."""
        self._line({"problem": problem, "fix": fix, "severe": severe})

    def done(self, cpu_ms: float) -> None:
        """Tell that everything was looked at."""
        self._line({"cpu_ms": round(cpu_ms, 1)})

    def _line(self, record: Mapping[str, object]) -> None:
        os.write(self._fd, json.dumps(record).encode() + b"\n")


def main(arguments: Sequence[str]) -> None:
    """Probe one plugin.

    arguments: hook (empty for always-on plugins) and module; for what a bridge offers its entry, as JSON, besides.
    """
    hook, name, *foreign = arguments
    report = _Report()
    started = time.process_time()
    report.stage("is imported")
    try:
        imported = import_and_watch(name)
    except BaseException as err:  # noqa: BLE001  # whatever it is, it is the finding
        report.fault(*_import_fault(name, err))
        return
    module = imported.module
    if foreign:
        _judge_foreign(report, cast(Bridge, module), _entry(json.loads(foreign[0])), started)
        return
    _judge_import(report, imported)
    if hook == BRIDGE:
        _judge_bridge(report, module)
    elif _judge_hooks(report, hook, module) and hook:
        report.stage(f"is asked for the foreign key {FOREIGN!r}")
        _judge_foreign_key(report, hook, module)
    report.done(imported.cpu_ms)


def _import_fault(name: str, err: BaseException) -> tuple[str, str]:
    frames = [f for f in traceback.extract_tb(err.__traceback__) if "importlib" not in f.filename][1:]
    where = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    if isinstance(err, ModuleNotFoundError) and err.name:
        if name == err.name or name.startswith(err.name + "."):
            return f"the entry point's module {name!r} does not exist", "correct the entry point, then reinstall"
        top = err.name.partition(".")[0]
        return f"needs the module {err.name!r}, which is not installed{where}", f"pip install what brings {top!r}"
    if isinstance(err, SystemExit):
        return f"calls sys.exit({err.code!r}) when it is imported{where}", "raise an error inside the hook instead"
    if isinstance(err, SyntaxError):
        at = f"{err.filename}, line {err.lineno}"
        return f"SyntaxError: {err.msg} ({at})", "correct the syntax, or run a Python that knows it"
    return f"raises {type(err).__name__} when it is imported: {err}{where}", "move what fails into the hook"


def _entry(record: dict[str, Any]) -> PluginEntry:
    # Any: these are the arguments of attrs classes as JSON
    return PluginEntry(**{**record, "foreign": ForeignPoint(**record["foreign"])})


def _judge_foreign(report: _Report, bridge: Bridge, entry: PluginEntry, started: float) -> None:
    """Load what a bridge offers. Its import may cost what it likes: it was not made for us."""
    report.stage("is loaded through its bridge")
    point = entry.foreign.value.partition(":")[0] if entry.foreign else ""
    try:
        bridge.load(entry)
    except BaseException as err:  # noqa: BLE001  # whatever it is, it is the finding
        report.fault(*_import_fault(point, err.__cause__ or err))
        return
    report.done((time.process_time() - started) * 1000)


def _judge_bridge(report: _Report, module: ModuleType) -> None:
    missing = [name for name in ("installed", "plugin", "load") if not callable(getattr(module, name, None))]
    if missing:
        report.fault(f"has no function {' and no '.join(missing)}", "add it; mlcore.plugin_bridges.Bridge says how")


def _judge_import(report: _Report, imported: Imported) -> None:
    strangers, cpu_ms = imported.strangers, imported.cpu_ms
    if imported.events.intersection(NETWORK):
        report.fault("opens the network when it is imported", "connect inside the hook, at the first use")
    if strangers:
        few = ", ".join(strangers[:5]) + (", ..." if len(strangers) > 5 else "")
        report.fault(
            f"imports {few} when it is imported ({cpu_ms:.0f} ms CPU)", "import them inside the hook", severe=False
        )
    elif cpu_ms > MAX_IMPORT_MS:
        report.fault(
            f"takes {cpu_ms:.0f} ms CPU to import, more than {MAX_IMPORT_MS}",
            "move the work into the hook",
            severe=False,
        )


def _judge_hooks(report: _Report, hook: str, module: ModuleType) -> bool:
    """Register the module as the kernel does; return whether its hook can be called."""
    specs = {n: f for n, f in vars(HookSpecs).items() if hasattr(f, f"{PROJECT}_spec")}
    marked = hooks_of(module)
    if not marked:
        report.fault("marks no function with hookimpl", "from mlcore.hookspecs import hookimpl; @hookimpl")
        return False
    unknown = [n for n in marked if n not in specs]
    for name in unknown:
        near = difflib.get_close_matches(name, specs, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known hooks are {', '.join(specs)}"
        report.fault(f"implements {name!r}, which is no hook", hint)
    callable_ = not unknown
    for name in set(marked) & set(specs):
        wanted = [p for p in inspect.signature(specs[name]).parameters if p != "self"]
        given = inspect.signature(getattr(module, name)).parameters.values()
        wrong = [p.name for p in given if p.name not in wanted and p.default is p.empty]
        if wrong:
            callable_ = False
            report.fault(
                f"hook {name!r} wants the argument {', '.join(map(repr, wrong))}, which it is not given",
                f"use any of ({', '.join(wanted)})",
            )
    if hook and hook not in marked:
        report.fault(f"has an entry point for {hook!r} but does not implement it", f"add @hookimpl def {hook}(...)")
        return False
    return callable_ and _registers(report, module)


def _registers(report: _Report, module: ModuleType) -> bool:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(HookSpecs)
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            manager.register(module)
        manager.check_pending()
    except pluggy.PluginValidationError as err:
        report.fault(str(err).replace("\n", " "), "follow the hook's page: arguments and names are those of the spec")
        return False
    for warning in said:  # a hook or argument that is to go
        report.fault(str(warning.message), "follow the hook's page before the next minor version", severe=False)
    return True


def _judge_foreign_key(report: _Report, hook: str, module: ModuleType) -> None:
    try:
        answer = ask_foreign_key(getattr(module, hook))
    except BaseException as err:  # noqa: BLE001  # whatever it is, it is the finding
        problem = f"raises {type(err).__name__} for the foreign key {FOREIGN!r}: {err}"
        report.fault(problem, "return None first of all when the key is not yours")
        return
    if answer is not None:
        report.fault(
            f"answers the foreign key {FOREIGN!r} with a {type(answer).__name__}",
            "return None when the key is not yours, so that others are asked",
        )
