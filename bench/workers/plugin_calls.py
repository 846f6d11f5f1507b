"""What the plugin layer costs in this process: discovery, and opening a repository through the hook and without it."""

from __future__ import annotations

import ast
import gc
import inspect
import json
import statistics
import sys
import tempfile
import time
import types
from collections.abc import Callable
from pathlib import Path

# A turn of one way takes a millisecond, so that what else the machine does falls into few of them.
CALLS = 60
TURNS = 800


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
    """Best CPU times of one call in microseconds: direct, through the hook, and that without the trace's seam.

    trace_percent: how much more the hook takes with the seam; the median of neighbouring turns.
    """
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
    spent: dict[str, list[float]] = {name: [] for name in ways}
    gc.disable()
    for turn in range(TURNS):
        for name in list(ways)[:: 1 if turn % 2 else -1]:  # in turns, so that a busy moment meets all
            started = time.process_time_ns()
            for _ in range(CALLS):
                ways[name]()
            spent[name].append((time.process_time_ns() - started) / CALLS / 1000)
    gc.enable()
    ratios = [hook / bare for hook, bare in zip(spent["hook_us"], spent["bare_us"], strict=True)]
    return {name: min(values) for name, values in spent.items()} | {
        "trace_percent": (statistics.median(ratios) - 1) * 100
    }


def without_trace(plugins: object) -> object:
    """Return the same plugins with the methods as they would be if there were no trace.

    Not a subclass: the interpreter tunes a method's code to the class that it is called on, and one of two would lose.
    """
    from mlcore.plugins import Plugins

    class WithoutTrace(ast.NodeTransformer):
        def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
            test = ast.unparse(node.test)
            if test.startswith("self._trace is"):
                return node.body if test == "self._trace is None" else []
            return self.generic_visit(node)

    source = Path(inspect.getfile(Plugins))
    copy = types.ModuleType("plugins_without_trace")
    sys.modules[copy.__name__] = copy
    tree = ast.fix_missing_locations(WithoutTrace().visit(ast.parse(source.read_text("utf-8"))))
    exec(compile(tree, f"{source} without trace", "exec"), vars(copy))  # the kernel's own text
    assert isinstance(plugins, Plugins)
    return copy.Plugins(plugins.installed())


if __name__ == "__main__":
    main()
