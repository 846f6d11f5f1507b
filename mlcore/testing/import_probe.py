"""Import one plugin module in an interpreter of its own and tell what that did, as one JSON object.

Run as a program by `mlcore.testing.plugin_module`; whatever the plugin does stays in that interpreter.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
import time

FOREIGN = "mlcore-nobody"  # a key that nobody answers to
KERNEL = {"mlcore", "attr", "attrs", "pluggy", "importlib_metadata", "zipp", "packaging", "typing_extensions"}
_NETWORK = ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")
_PROCESS = ("subprocess.Popen", "os.system", "os.fork", "os.posix_spawn", "os.exec")


def main(name: str) -> None:
    """Import the module called *name*; print what was seen."""
    import mlcore.hookspecs

    out = os.dup(1)
    os.dup2(2, 1)  # a print of the plugin is not the report
    events: set[str] = set()
    sys.addaudithook(lambda event, _: events.add(event))
    before, started = set(sys.modules), time.process_time()
    module = importlib.import_module(name)
    cpu_ms = (time.process_time() - started) * 1000
    loaded = {found.partition(".")[0] for found in set(sys.modules) - before}
    specs = mlcore.hookspecs.HookSpecs
    hooks = [n for n, value in vars(module).items() if hasattr(value, f"{mlcore.hookspecs.PROJECT}_impl")]
    report = {
        "cpu_ms": cpu_ms,
        "strangers": sorted(_strangers(loaded, name.partition(".")[0])),
        "network": sorted(events.intersection(_NETWORK)),
        "processes": sorted(events.intersection(_PROCESS)),
        "threads": threading.active_count() - 1,
        "hooks": hooks,
        "unknown": [hook for hook in hooks if not hasattr(specs, hook)],
        "arguments": {hook: _arguments(getattr(module, hook)) for hook in hooks},
        "foreign": {hook: _foreign(getattr(module, hook)) for hook in hooks},
    }
    os.write(out, json.dumps(report).encode())


def _strangers(loaded: set[str], own: str) -> set[str]:
    found = loaded - KERNEL - {own} - set(sys.stdlib_module_names)
    return {name for name in found if not name.startswith("_")}


def _arguments(function: object) -> list[str]:
    import inspect

    return list(inspect.signature(function).parameters) if callable(function) else []


def _foreign(function: object) -> str | None:
    """Say what the hook answers to a key of nobody; None when that is None, or when it has no key."""
    values = {"uri": f"{FOREIGN}://nowhere/x", "name": FOREIGN, "target_uri": f"{FOREIGN}:/x", "artifact_root": None}
    names = _arguments(function)
    if not callable(function) or not set(names) & {"uri", "name", "target_uri"}:
        return None
    answer = function(**{name: values.get(name) for name in names})
    return None if answer is None else type(answer).__name__


if __name__ == "__main__":
    main(sys.argv[1])
