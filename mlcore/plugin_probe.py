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

from mlcore.hookspecs import PROJECT, HookSpecs
from mlcore.plugin_bridges import BRIDGE, Bridge
from mlcore.plugin_index import ForeignPoint, PluginEntry

MAX_IMPORT_MS = 100
FOREIGN = "mlcore-check"  # a key that nobody answers to
_KERNEL = {"mlcore", "attr", "attrs", "pluggy", "importlib_metadata", "zipp", "packaging", "typing_extensions"}
_NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname")


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
    events: set[str] = set()
    sys.addaudithook(lambda event, _: events.add(event))
    before, started = set(sys.modules), time.process_time()
    report.stage("is imported")
    try:
        module = importlib.import_module(name)
    except BaseException as err:  # noqa: BLE001  # whatever it is, it is the finding
        report.fault(*_import_fault(name, err))
        return
    if foreign:
        _judge_foreign(report, cast(Bridge, module), _entry(json.loads(foreign[0])), started)
        return
    cpu_ms = (time.process_time() - started) * 1000
    _judge_import(report, name, set(sys.modules) - before, cpu_ms, events)
    if hook == BRIDGE:
        _judge_bridge(report, module)
    elif _judge_hooks(report, hook, module) and hook:
        report.stage(f"is asked for the foreign key {FOREIGN!r}")
        _judge_foreign_key(report, hook, module)
    report.done(cpu_ms)


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


def _judge_import(report: _Report, name: str, loaded: set[str], cpu_ms: float, events: set[str]) -> None:
    own = name.partition(".")[0]
    tops = {module.partition(".")[0] for module in loaded}
    strangers = sorted(t for t in tops - _KERNEL - {own} - set(sys.stdlib_module_names) if not t.startswith("_"))
    if events.intersection(_NETWORK):
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
    marked = [n for n, f in vars(module).items() if hasattr(f, f"{PROJECT}_impl")]
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
    values = {"uri": f"{FOREIGN}://nowhere", "name": FOREIGN, "target_uri": f"{FOREIGN}:/", "artifact_root": None}
    function = getattr(module, hook)
    names = list(inspect.signature(function).parameters)
    if not set(names) & {"uri", "name"} or not set(names) <= set(values):
        return
    try:
        answer = function(**{n: values[n] for n in names})
    except BaseException as err:  # noqa: BLE001  # whatever it is, it is the finding
        problem = f"raises {type(err).__name__} for the foreign key {FOREIGN!r}: {err}"
        report.fault(problem, "return None first of all when the key is not yours")
        return
    if answer is not None:
        report.fault(
            f"answers the foreign key {FOREIGN!r} with a {type(answer).__name__}",
            "return None when the key is not yours, so that others are asked",
        )
