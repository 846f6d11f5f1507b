"""Everything that needs no run of the product: format, lint, types, public types, and the tests of the architecture."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from venvs import ROOT, plugin_folders

BIN = Path(sys.executable).parent


def main() -> None:
    """Run every check, also after one has failed; exit 1 when any did."""
    only = set(sys.argv[1:])
    checks: dict[str, Callable[[], bool]] = {
        "format": lambda: _run("ruff", "format", "--check", "--quiet", "."),
        "lint": lambda: _run("ruff", "check", "--quiet", "."),
        "types": types,
        "public-types": public_types,
        "javascript": lambda: _run("python", "tools/javascript.py"),
        "meta": lambda: _run("pytest", "-q", "tests/meta"),
    }
    failed = []
    for name, check in checks.items():
        if only and name not in only:
            continue
        started = time.monotonic()
        passed = check()
        print(f"check {name}: {'ok' if passed else 'FAILED'} ({time.monotonic() - started:.1f} s)", flush=True)
        if not passed:
            failed.append(name)
    if failed:
        sys.exit(f"error: failed checks: {', '.join(failed)}; one alone: .venv/bin/python tools/check.py {failed[0]}")


def types() -> bool:
    """Check the kernel, every plugin and the examples with mypy --strict, then scripts, whose modules see each other."""
    sources = ["mlcore", *(str(folder.relative_to(ROOT) / "src") for folder in plugin_folders())]
    passed = _run("mypy", "--strict", *sources, "examples/demo.py")
    for example in ("vendor_plugin", "optuna_sampler"):
        passed = _run("mypy", "--strict", f"examples/{example}/src") and passed
    for folder in ("tools", "bench"):
        scripts = sorted(str(path.relative_to(ROOT)) for path in (ROOT / folder).glob("*.py"))
        # bench/ uses the servers of tools/
        passed = _run("mypy", "--strict", *scripts, MYPYPATH="tools") and passed
    return passed


def public_types() -> bool:
    """Ask pyright whether every public name of every distribution has a known type."""
    packages = ["mlcore", *(f"mlcore_{folder.name}" for folder in plugin_folders())]
    results = [_complete(package) for package in packages]
    return all(results)


def _complete(package: str) -> bool:
    command = [str(BIN / "basedpyright"), "--verifytypes", package, "--ignoreexternal", "--outputjson"]
    done = subprocess.run(command, cwd=ROOT, env=_environ(), capture_output=True, text=True, check=False)
    try:
        document = json.loads(done.stdout)
    except ValueError:
        print(f"{package}: no report from basedpyright: {done.stdout[-500:]}{done.stderr[-500:]}")
        return False
    report = document["typeCompleteness"]
    general = [entry["message"] for entry in document["generalDiagnostics"]]
    # a program's commands are run and not imported, and click's decorators cannot be spelt out
    public = [s for s in report["symbols"] if s["isExported"] and not s["name"].startswith("mlcore.cli.")]
    unclear = [s for s in public if not s["isTypeKnown"] or s["isTypeAmbiguous"]]
    for symbol in unclear:
        for diagnostic in symbol["diagnostics"]:
            place = diagnostic.get("range", {}).get("start", {}).get("line", -1) + 1
            print(f"{diagnostic['file']}:{place}: {symbol['name']}: {diagnostic['message']}")
    for message in general:
        print(f"{package}: {message}")
    print(f"{package}: {len(public) - len(unclear)} public names typed, {len(unclear)} not")
    return not unclear and not general


def _environ() -> dict[str, str]:
    # pyright finds the environment by the interpreter that comes first on PATH
    path = os.pathsep.join([str(BIN), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, "VIRTUAL_ENV": str(BIN.parent)}


def _run(program: str, *arguments: str, **variables: str) -> bool:
    environ = {**_environ(), **variables}
    return subprocess.run([str(BIN / program), *arguments], cwd=ROOT, env=environ, check=False).returncode == 0


if __name__ == "__main__":
    main()
