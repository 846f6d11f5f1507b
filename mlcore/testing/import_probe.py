"""Import one plugin module in an interpreter of its own and tell what that did, as one JSON object.

Run as a program by `mlcore.testing.plugin_module`; whatever the plugin does stays in that interpreter.
"""

from __future__ import annotations

import json
import os
import sys
import threading

from mlcore.hookspecs import HookSpecs
from mlcore.plugin_probe import NETWORK, arguments_of, ask_foreign_key, hooks_of, import_and_watch

_PROCESS = ("subprocess.Popen", "os.system", "os.fork", "os.posix_spawn", "os.exec")


def main(name: str) -> None:
    """Import the module called *name*; print what was seen."""
    out = os.dup(1)
    os.dup2(2, 1)  # a print of the plugin is not the report
    imported = import_and_watch(name)
    threads = threading.active_count() - 1
    functions = {hook: getattr(imported.module, hook) for hook in hooks_of(imported.module)}
    report = {
        "cpu_ms": imported.cpu_ms,
        "strangers": imported.strangers,
        "network": sorted(imported.events.intersection(NETWORK)),
        "processes": sorted(imported.events.intersection(_PROCESS)),
        "threads": threads,
        "hooks": list(functions),
        "unknown": [hook for hook in functions if not hasattr(HookSpecs, hook)],
        "arguments": {hook: arguments_of(function) for hook, function in functions.items()},
        "foreign": {hook: _shown(ask_foreign_key(function)) for hook, function in functions.items()},
    }
    os.write(out, json.dumps(report).encode())


def _shown(answer: object) -> str | None:
    return None if answer is None else type(answer).__name__


if __name__ == "__main__":
    main(sys.argv[1])
