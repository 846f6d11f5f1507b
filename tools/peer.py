"""Make the environments of the peers: MLflow of the newest release, and of the line before, from their own packages.

Benchmarks and interchange tests compare with the newest one; the client is tested at servers of both, and the server
with clients of both.
"""

from __future__ import annotations

import os
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from venvs import CACHE, create, install, python_of

VERSION = "3.17.2"
HOME = CACHE / "peers" / "mlflow"
OLDER, OLDER_HOME = "2.22.5", CACHE / "peers" / "mlflow-2.22"


def main() -> None:
    """Create the environments unless they are there."""
    _older()
    chosen = os.environ.get("MLCORE_PEER_MLFLOW")
    python = Path(chosen) if chosen else python_of(HOME)
    if _installed(python):
        print(f"peer: mlflow {VERSION} at {python}")
        return
    install(create(HOME), [f"mlflow[auth]=={VERSION}", *_same_versions("scikit-learn", "skops", "boto3")])
    print(f"peer: mlflow {VERSION} installed at {python_of(HOME)}")


def _older() -> None:
    if (OLDER_HOME / ".version").exists() and (OLDER_HOME / ".version").read_text() == OLDER:
        print(f"peer: mlflow {OLDER} at {python_of(OLDER_HOME)}")
        return
    install(create(OLDER_HOME), [f"mlflow=={OLDER}"])
    (OLDER_HOME / ".version").write_text(OLDER)
    print(f"peer: mlflow {OLDER} installed at {python_of(OLDER_HOME)}")


def _installed(python: Path) -> bool:
    if not python.exists():
        return False
    code = "from importlib.metadata import version; import boto3, flask_wtf, sklearn, skops; print(version('mlflow'))"
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
