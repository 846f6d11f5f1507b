"""What the plugin layer costs in this process: discovery, and opening a repository through the hook and without it."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable

CALLS = 2000
TURNS = 25


def main() -> None:
    """Print the numbers as one JSON object."""
    from mlcore.plugins import Plugins
    from mlcore.settings import Settings

    started = time.process_time()
    plugins = Plugins.discover(Settings())
    found: dict[str, float] = {"discovery_ms": (time.process_time() - started) * 1000}
    if len(sys.argv) > 2 and sys.argv[2] == "calls":
        found |= calls(plugins)
    found["plugins"] = len(plugins.installed())
    print(json.dumps(found))


def calls(plugins: object) -> dict[str, float]:
    """Best times of one call in microseconds: direct, through the hook, and through the hook without the trace's seam."""
    from mlcore_artifacts_local.repo import LocalRepo

    from mlcore.hookspecs import HookSpecs
    from mlcore.plugins import Plugins

    assert isinstance(plugins, Plugins)
    uri = f"file://{tempfile.gettempdir()}/bench"
    bare = without_trace(plugins)
    ways: dict[str, Callable[[], object]] = {
        "direct_us": lambda: LocalRepo.open(uri),
        "hook_us": lambda: plugins.first(HookSpecs.artifact_repo, uri=uri),
        "bare_us": lambda: bare.first(HookSpecs.artifact_repo, uri=uri),
    }
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(TURNS):
        for name, way in ways.items():  # in turns, so that a busy moment meets all
            started = time.process_time_ns()
            for _ in range(CALLS):
                way()
            best[name] = min(best[name], (time.process_time_ns() - started) / CALLS / 1000)
    return best


def without_trace(plugins: object) -> object:
    """Return the same plugins with the methods as they would be if there were no trace."""
    import importlib

    from mlcore.plugins import Plugins

    class Bare(Plugins):
        def _import(self, entry: object) -> object:
            return importlib.import_module(entry.value.partition(":")[0])

        def _subset(self, hook: str, plugin: object) -> object:
            key = (hook, id(plugin))
            if key not in self._callers:
                self._callers[key] = self._manager.subset_hook_caller(hook, [])
            return self._callers[key]

    assert isinstance(plugins, Plugins)
    return Bare(plugins.installed())


if __name__ == "__main__":
    main()
