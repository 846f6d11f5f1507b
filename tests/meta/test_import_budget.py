"""What an import pulls in, seen in a clean interpreter: counted in modules and bytes, which do not depend on the load."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import sourcecode

# What may be in memory after `import mlcore` besides what a bare interpreter has, and nothing else.
ALLOWED_AFTER_IMPORT = set(
    "mlcore __future__ importlib importlib._bootstrap importlib._bootstrap_external warnings "
    "typing typing.io typing.re _typing contextlib abc types functools _functools collections collections.abc "
    "_collections operator _operator keyword reprlib itertools".split()
)
KERNEL_LIBRARIES = {"attr", "attrs", "pluggy", "importlib_metadata", "zipp", "packaging", "typing_extensions"}
HEAVY = ("numpy", "pandas", "scipy", "sklearn", "sqlalchemy", "matplotlib", "PIL", "uvicorn", "orjson")
PARTS = (
    "entities",
    "interfaces",
    "hookspecs",
    "plugins",
    "settings",
    "remote",
    "tracking",
    "registry",
    "artifacts",
    "models",
    "projects",
    "deployments",
    "serving",
    "moving",
    "cli",
)

PLUGIN_MODULES = [f"mlcore_{folder.name}.plugin" for folder in sourcecode.plugin_folders()]

LIST_MODULES = """
import sys, json
before = set(sys.modules)
__import__(sys.argv[1])
print(json.dumps(sorted(set(sys.modules) - before)))
"""

WITHOUT_HEAVY = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[2].split(","):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Refuse())
__import__(sys.argv[1])
"""

# Not getrusage: the peak that it tells counts the parent's memory from before the exec, and pytest is large.
MEMORY = """
import re, sys
for name in sys.argv[1:]:
    __import__(name)
with open("/proc/self/status") as status:
    print(re.search(r"VmRSS:\\s+(\\d+)", status.read())[1])
"""


def _python(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _modules_of(name: str) -> set[str]:
    return set(json.loads(_python(LIST_MODULES, name)))


def test_importing_mlcore_loads_next_to_nothing() -> None:
    loaded = _modules_of("mlcore")

    assert loaded - ALLOWED_AFTER_IMPORT == set()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc, which Linux has")
def test_importing_mlcore_costs_little_memory() -> None:
    bare = int(_python(MEMORY))

    with_mlcore = int(_python(MEMORY, "mlcore"))

    assert (with_mlcore - bare) / 1024 < 15


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_the_kernel_imports_without_the_scientific_libraries(part: str) -> None:
    _python(WITHOUT_HEAVY, f"mlcore.{part}", ",".join(HEAVY))


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_the_kernel_loads_no_scientific_library(part: str) -> None:
    loaded = {name.partition(".")[0] for name in _modules_of(f"mlcore.{part}")}

    assert loaded & set(HEAVY) == set()


@pytest.mark.parametrize("module", PLUGIN_MODULES)
def test_a_plugin_module_loads_alone_and_brings_the_kernel_only(module: str) -> None:
    loaded = _modules_of(module)

    strangers = {name.partition(".")[0] for name in loaded} - set(sys.stdlib_module_names) - KERNEL_LIBRARIES
    assert {name for name in strangers if not name.startswith("__")} == {"mlcore", module.partition(".")[0]}


@pytest.mark.parametrize("module", PLUGIN_MODULES)
def test_a_plugin_module_leaves_its_own_implementation_for_later(module: str) -> None:
    loaded = _modules_of(module)

    package = module.partition(".")[0]
    assert {name for name in loaded if name.partition(".")[0] == package} == {package, module}
