"""Make the environments of the peer: MLflow from its own packages, for benchmarks and interchange tests.

The second one holds plugins that others wrote for MLflow besides, and mlcore with its bridge to them.
"""

from __future__ import annotations

import os
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from venvs import CACHE, ROOT, create, install, python_of

VERSION = "3.17.2"
HOME = CACHE / "peers" / "mlflow"
PLUGINS_HOME = CACHE / "peers" / "mlflow_plugins"
# of two groups, and in need of no account anywhere
PLUGINS = {"mlflow-jfrog-plugin": "1.0.2", "ar-io-mlflow": "0.3.0"}


def main() -> None:
    """Create the environments unless they are there."""
    _make_peer()
    _make_plugins()


def _make_plugins() -> None:
    python = python_of(PLUGINS_HOME)
    names = ", ".join(PLUGINS)
    wanted = {"mlflow": VERSION, **PLUGINS}
    if _versions(python, ("mlcore-bridge-mlflow", "hypothesis", *wanted))[2:] == list(wanted.values()):
        print(f"peer: {names} at {python}")
        return
    ours = ["-e", f"{ROOT}[testing]", "-e", str(ROOT / "plugins" / "bridge_mlflow")]
    install(create(PLUGINS_HOME), [*ours, *(f"{name}=={version}" for name, version in wanted.items())])
    print(f"peer: {names} installed at {python}")


def _versions(python: Path, names: tuple[str, ...]) -> list[str]:
    """Return the versions of installed distributions; nothing when one is missing."""
    if not python.exists():
        return []
    code = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
    found = subprocess.run([str(python), "-c", code, *names], capture_output=True, text=True, check=False)
    return found.stdout.split()


def _make_peer() -> None:
    chosen = os.environ.get("MLCORE_PEER_MLFLOW")
    python = Path(chosen) if chosen else python_of(HOME)
    if _installed(python):
        print(f"peer: mlflow {VERSION} at {python}")
        return
    install(create(HOME), [f"mlflow=={VERSION}", *_same_versions("scikit-learn", "skops", "boto3")])
    print(f"peer: mlflow {VERSION} installed at {python_of(HOME)}")


def _installed(python: Path) -> bool:
    if not python.exists():
        return False
    code = "from importlib.metadata import version; import boto3, sklearn, skops; print(version('mlflow'))"
    found = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=False)
    return found.stdout.strip() == VERSION


def _same_versions(*names: str) -> list[str]:
    """Both sides train and score with the same library, or neither the files nor the times compare."""
    wanted = []
    for name in names:
        try:
            wanted.append(f"{name}=={version(name)}")
        except PackageNotFoundError:
            wanted.append(name)
    return wanted


if __name__ == "__main__":
    main()
