"""Build every wheel, install them into an empty environment, and run the plugins' suites and the demo from there.

Nothing is taken from the checkout but the tests and the demo, which are copied out of it. The kernel is first
installed alone, and its weight is checked.
"""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from pathlib import Path

from venvs import CACHE, ROOT, create, dependency_group, install, manifest, plugin_folders, run

HOME = CACHE / "wheels"
DIST = ROOT / "dist"

# Measured in 2026: 6 MB in 14 packages, which are the kernel, its eight dependencies, and five that those need.
MAX_PACKAGES = 14
MAX_BYTES = 25_000_000
_WITHOUT = ("torch", "mlflow", "mlflow-2.22", "mlflow 3.17", "mlflow 2.22", "mlflow 1.30")


def main() -> None:
    """Build, install, test; stop at the first failure."""
    shutil.rmtree(HOME, ignore_errors=True)
    kernel, plugins = build()
    check_weight(kernel)
    python = create(HOME / "venv", fresh=True)
    named = [line for folder in (ROOT, *plugin_folders()) for line in dependency_group(folder, "test")]
    groups = [line for line in named if not line.startswith("mlcore-")]  # all of ours are installed anyway
    # the files are named, so that no index is asked for a distribution of ours
    tools = [f"mlcore-kernel[serve,testing] @ {kernel.as_uri()}", "pytest-xdist>=3.6"]
    install(python, [*tools, *map(str, plugins), *groups, *demo_needs()])
    work = HOME / "run"
    copy_tests(work)
    environ = isolated_environ()
    check_origin(python, work, environ)
    pytest = [str(python), "-P", "-m", "pytest", *suites(work)]
    if subprocess.run([*pytest, "-n", "auto", "--dist", "worksteal"], cwd=work, env=environ, check=False).returncode:
        print("=== what failed, once more and alone", flush=True)
        run([*pytest, "--last-failed", "--last-failed-no-failures", "none"], cwd=work, env=environ)
    run_demo(python, work, environ)


def build() -> tuple[Path, list[Path]]:
    """Build all wheels into dist/; return the kernel's and the plugins'."""
    shutil.rmtree(DIST, ignore_errors=True)
    started = time.monotonic()
    for folder in (ROOT, *plugin_folders()):
        run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", DIST], cwd=folder, env=_quiet())
    wheels = sorted(DIST.glob("*.whl"))
    kernel = [wheel for wheel in wheels if wheel.name.startswith("mlcore_kernel-")]
    if len(kernel) != 1 or len(wheels) != 1 + len(plugin_folders()):
        sys.exit(f"error: expected one wheel per distribution in {DIST}, found {', '.join(w.name for w in wheels)}")
    print(f"built {len(wheels)} wheels ({time.monotonic() - started:.0f} s)", flush=True)
    return kernel[0], [wheel for wheel in wheels if wheel != kernel[0]]


def check_weight(kernel: Path) -> None:
    """Install the kernel alone; it must import, print its version, and stay within its budget."""
    python = create(HOME / "kernel", fresh=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(HOME / "kernel"), "platbase": str(HOME / "kernel")}))
    shutil.rmtree(site)  # without pip, which comes with the environment and not with the kernel
    site.mkdir()
    install(python, [str(kernel)])
    packages = [path for path in site.glob("*.dist-info") if not path.name.startswith("pip-")]
    size = sum(f.stat().st_size for f in site.rglob("*") if f.is_file() and "__pycache__" not in f.parts)
    print(f"the kernel alone: {len(packages)} packages, {size / 1e6:.1f} MB", flush=True)
    if len(packages) > MAX_PACKAGES or size > MAX_BYTES:
        names = ", ".join(sorted(p.name.partition("-")[0] for p in packages))
        sys.exit(f"error: over the budget of {MAX_PACKAGES} packages and {MAX_BYTES / 1e6:.0f} MB: {names}")
    run([python.with_name("mlcore"), "--version"], cwd=HOME)


def demo_needs() -> Sequence[str]:
    """Return what the demo uses besides mlcore."""
    return dependency_group(ROOT, "demo")


def copy_tests(work: Path) -> None:
    """Copy tests, their configuration and the demo to a place from which the checkout's packages are not seen."""
    work.mkdir(parents=True)
    for folder in plugin_folders():
        # what runs on a Docker Engine builds wheels of its own from the checkout, and runs with the other tests
        ignored = shutil.ignore_patterns("__pycache__", "test_*_engine.py")
        shutil.copytree(folder / "tests", work / "plugins" / folder.name / "tests", ignore=ignored)
    shutil.copy(ROOT / "conftest.py", work)
    (work / "tools").mkdir()
    for name in ("s3_servers.py", "guard.py", "mlflow_servers.py", "own_server.py"):
        shutil.copy(ROOT / "tools" / name, work / "tools")
    shutil.copytree(ROOT / "examples", work / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    config = configparser.ConfigParser()
    tool = manifest(ROOT)["tool"]
    options = tool["pytest"]["ini_options"] if isinstance(tool, dict) else {}
    config["pytest"] = {
        name: (" " if name == "addopts" else "\n").join(value) if isinstance(value, list) else str(value)
        for name, value in options.items()
        if name != "testpaths"
    }
    with (work / "pytest.ini").open("w", encoding="utf-8") as file:
        config.write(file)


def suites(work: Path) -> list[str]:
    """Return the tests that each plugin is known by: its contract suite; of the server and its pages, that they start.

    Everything else has been seen in the checkout, and a wheel that lacks a file fails in these too.
    """
    started = {"server": ["test_server_routes.py", "test_server_protocol.py"], "ui": ["test_ui_shell.py"]}
    found: list[str] = []
    for folder in plugin_folders():
        name = folder.name
        wanted = started.get(name, [f"test_{name}.py", f"test_{name}_contract.py"])
        there = [
            f"plugins/{name}/tests/{file}" for file in wanted if (work / "plugins" / name / "tests" / file).is_file()
        ]
        if not there:
            raise SystemExit(f"error: {name} has none of {', '.join(wanted)} in its tests")
        found += there
    return found


def isolated_environ() -> dict[str, str]:
    """Return an environment in which Python finds installed packages only."""
    environ = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    # what needs MLflow or PyTorch beside it has been seen by the other tests, and takes minutes
    demanded = ",".join([environ.get("MLCORE_REQUIRE", ""), *(f"-{part}" for part in _WITHOUT)])
    return {**environ, "PYTHONNOUSERSITE": "1", "MLCORE_REQUIRE": demanded}


def check_origin(python: Path, work: Path, environ: dict[str, str]) -> None:
    """Make sure that every package of ours comes from the environment."""
    names = ["mlcore", *(f"mlcore_{folder.name}" for folder in plugin_folders())]
    code = f"import {', '.join(names)}; print(*[m.__file__ for m in ({', '.join(names)})], sep='\\n')"
    done = subprocess.run([str(python), "-c", code], cwd=work, env=environ, capture_output=True, text=True, check=True)
    strangers = [line for line in done.stdout.splitlines() if not Path(line).is_relative_to(HOME / "venv")]
    if strangers:
        sys.exit(f"error: not from the wheels: {', '.join(strangers)}")


def run_demo(python: Path, work: Path, environ: dict[str, str]) -> None:
    """Run the demo in an empty directory."""
    (work / "demo").mkdir()
    run([python, "-P", work / "examples" / "demo.py"], cwd=work / "demo", env=environ)


def _quiet() -> dict[str, str]:
    return {**os.environ, "HATCH_QUIET": "2", "SOURCE_DATE_EPOCH": "1700000000"}


if __name__ == "__main__":
    main()
