"""Examine installed plugins, each in an interpreter of its own, and name faults and fixes.

Nothing that a plugin does at its import (exit, hang, crash) reaches the process that asks.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterable, Mapping

from attrs import asdict, field, frozen

from mlcore.errors import PluginConflictError
from mlcore.plugin_index import PluginEntry, kernel_mismatch
from mlcore.plugins import Plugins

TIMEOUT_S = 10.0
_AT_ONCE = 2
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from mlcore.plugin_probe import main; main(sys.argv[2:])"
)


@frozen
class Fault:
    """Something wrong with a plugin, and what to do about it.

    severe: the plugin cannot be used; otherwise it works, at a cost.
    """

    problem: str
    fix: str
    severe: bool = True


@frozen
class Checked:
    """What became of the examination of one entry point.

    cpu_ms: what its import cost, without the kernel; None when it was not imported to the end.
    """

    entry: PluginEntry
    faults: tuple[Fault, ...] = ()
    cpu_ms: float | None = None
    enabled: bool = True

    @property
    def status(self) -> str:
        """`ok`, `warning`, `failed` or `disabled`."""
        if not self.enabled:
            return "disabled"
        if any(fault.severe for fault in self.faults):
            return "failed"
        return "warning" if self.faults else "ok"


@frozen
class _Probed:
    faults: list[Fault] = field(factory=list)
    cpu_ms: float | None = None


def check(plugins: Plugins, entries: Iterable[PluginEntry], *, timeout_s: float = TIMEOUT_S) -> tuple[Checked, ...]:
    """Examine *entries*; disabled ones and those for another kernel are not imported.

    timeout_s: how long the import of one may take.
    """
    from concurrent.futures import ThreadPoolExecutor  # here and below: `plugins list` has a budget

    given = tuple(entries)
    wanted = {
        (e.hook, e.value): e for e in given if plugins.is_enabled(e) and _gate(e) is None and e.value.isprintable()
    }
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = dict(zip(wanted, pool.map(lambda entry: _probe(entry, timeout_s), wanted.values()), strict=True))
    return tuple(_judged(plugins, entry, found.get((entry.hook, entry.value))) for entry in given)


def static_fault(plugins: Plugins, entry: PluginEntry) -> Fault | None:
    """Return what is wrong with an entry point as far as metadata tell; nothing is imported."""
    return _gate(entry) or _malformed(entry) or _conflict(plugins, entry)


def _judged(plugins: Plugins, entry: PluginEntry, probed: _Probed | None) -> Checked:
    if not plugins.is_enabled(entry):
        return Checked(entry, enabled=False)
    known = static_fault(plugins, entry)
    faults = ((known,) if known else ()) + tuple(probed.faults if probed and not _malformed(entry) else ())
    return Checked(entry, faults, probed.cpu_ms if probed else None)


def _gate(entry: PluginEntry) -> Fault | None:
    problem = kernel_mismatch(entry)
    if problem is None:
        return None
    text, _, fix = problem.rpartition(": ")
    return Fault(text, fix)


def _malformed(entry: PluginEntry) -> Fault | None:
    parts = entry.value.partition(":")[0].split(".")
    if all(part.isidentifier() for part in parts):
        return None
    return Fault(
        f"the entry point's value {entry.value!r} names no module",
        "write it as package.plugin in pyproject.toml, then reinstall",
    )


def _conflict(plugins: Plugins, entry: PluginEntry) -> Fault | None:
    if not entry.hook:
        return None
    try:
        plugins.entry(entry.hook, entry.key)
    except PluginConflictError as err:
        text, _, fix = err.message.partition(": choose one ")
        return Fault(text, f"choose one {fix}")
    return None


def _probe(entry: PluginEntry, timeout_s: float) -> _Probed:
    import signal
    import subprocess

    foreign = [json.dumps(asdict(entry))] if entry.foreign else []
    module = entry.value.partition(":")[0]
    command = [sys.executable, "-I", "-c", _START, json.dumps(sys.path), entry.hook, module, *foreign]
    process = subprocess.Popen(  # noqa: S603  # our own interpreter; hook and module are arguments, not code
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # so that what the plugin started ends with it
    )
    try:
        out, err = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        out, err = process.communicate()
        return _read(out, f"did not end within {timeout_s:g} s", "look for endless loops and for waiting at import")
    return _read(out, _ending(process.returncode, err), "look for os._exit, or for a C library that does not fit")


def _ending(code: int, err: bytes) -> str:
    last = err.decode("utf-8", "replace").strip().rpartition("\n")[2]
    said = f": {last}" if last else ""
    if code < 0:
        import signal

        return f"crashed the interpreter with {signal.Signals(-code).name}{said}"
    return f"ended the interpreter with exit code {code}{said}"


def _read(out: bytes, ending: str, fix: str) -> _Probed:
    """Make faults of the report's lines; a report that breaks off is one itself."""
    stage, faults, cpu_ms = "is imported", [], None
    for line in out.decode("utf-8", "replace").splitlines():
        record: Mapping[str, object] = json.loads(line)
        if "stage" in record:
            stage = str(record["stage"])
        elif "problem" in record:
            faults.append(Fault(str(record["problem"]), str(record["fix"]), bool(record["severe"])))
        else:
            cpu_ms = float(str(record["cpu_ms"]))
    if cpu_ms is None and not any(fault.severe for fault in faults):
        faults.append(Fault(f"{ending}, when it {stage}", fix))
    return _Probed(faults, cpu_ms)
