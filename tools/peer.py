"""Make the environments of the peers: MLflow of several releases, MLServer, Aim and Weights & Biases, from their own packages.

Benchmarks compare with the newest of each, interchange tests with the newest MLflow; our client is tested at servers of
MLflow's two newest lines, our server with clients of all. One environment holds plugins that others wrote for MLflow, and mlcore with its bridge.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from venvs import CACHE, ROOT, create, install, python_of, run

PEERS = CACHE / "peers"
VERSION = "3.17.2"
HOME = PEERS / "mlflow"
OLDER, OLDER_HOME = "2.22.5", PEERS / "mlflow-2.22"
# the last of the first line, which needs a Python of its time
OLDEST, OLDEST_HOME = "1.30.1", PEERS / "mlflow-1.30"
OLDEST_PYTHONS = ("3.10", "3.9", "3.8")
PLUGINS_HOME = PEERS / "mlflow_plugins"
# of two groups, and in need of no account anywhere
TRACKERS = {"aim": "3.29.1", "wandb": "0.31.0"}
SERVER = "1.7.1"  # of MLServer
SERVER_HOME = PEERS / "mlserver"
PLUGINS = {"mlflow-jfrog-plugin": "1.0.2", "ar-io-mlflow": "0.3.0"}


def main() -> None:
    """Create the environments unless they are there; with `--tests` only those that tests need."""
    _make_peer()
    _make_older()
    _make_oldest()
    _make_plugins()
    if "--tests" not in sys.argv[1:]:
        _make_trackers()
        _make_server()


def _make_peer() -> None:
    chosen = os.environ.get("MLCORE_PEER_MLFLOW")
    python = Path(chosen) if chosen else python_of(HOME)
    names = ("mlflow", "boto3", "flask-wtf", "scikit-learn", "skops", "psutil")
    if _versions(python, names)[:1] == [VERSION]:
        print(f"peer: mlflow {VERSION} at {python}")
        return
    install(create(HOME), [f"mlflow[auth]=={VERSION}", *_same_versions("scikit-learn", "skops", "boto3", "psutil")])
    print(f"peer: mlflow {VERSION} installed at {python_of(HOME)}")


def _make_older() -> None:
    python = python_of(OLDER_HOME)
    if _versions(python, ("mlflow", "flask-wtf"))[:1] == [OLDER]:
        print(f"peer: mlflow {OLDER} at {python}")
        return
    # its migrations do not run with SQLAlchemy 2.1
    install(create(OLDER_HOME), [f"mlflow=={OLDER}", "sqlalchemy<2.1", "flask-wtf"])
    print(f"peer: mlflow {OLDER} installed at {python}")


def _make_oldest() -> None:
    python = python_of(OLDEST_HOME)
    if _versions(python, ("mlflow", "scikit-learn"))[:1] == [OLDEST]:
        print(f"peer: mlflow {OLDEST} at {python}")
        return
    old = next(_old_pythons(), None)
    if old is None:
        print(f"peer: no mlflow {OLDEST}: it needs Python {', '.join(OLDEST_PYTHONS)}, and none was found")
        return
    shutil.rmtree(OLDEST_HOME, ignore_errors=True)
    run([old, "-m", "venv", OLDEST_HOME])
    install(python, [f"mlflow=={OLDEST}", "setuptools<70", "scikit-learn"])
    print(f"peer: mlflow {OLDEST} installed at {python}")


def _old_pythons() -> Iterator[Path]:
    """Yield interpreters that MLflow 1.30 supports: of the PATH, and of pyenv's folder."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for number in OLDEST_PYTHONS:
        on_path = shutil.which(f"python{number}")
        candidates = [Path(on_path)] if on_path else []
        for python in [*candidates, *sorted(root.glob(f"{number}.*/bin/python"))]:
            done = subprocess.run([str(python), "-c", "import venv, ensurepip"], capture_output=True, check=False)
            if done.returncode == 0:
                yield python


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


def _make_trackers() -> None:
    for name, wanted in TRACKERS.items():
        python = python_of(PEERS / name)
        if _versions(python, (name, "scikit-learn"))[:1] == [wanted]:
            print(f"peer: {name} {wanted} at {python}")
            continue
        install(create(PEERS / name), [f"{name}=={wanted}", *_same_versions("scikit-learn", "numpy")])
        print(f"peer: {name} {wanted} installed at {python}")


def _make_server() -> None:
    python = python_of(SERVER_HOME)
    if _versions(python, ("mlserver", "mlserver-sklearn")) == [SERVER, SERVER]:
        print(f"peer: mlserver {SERVER} at {python}")
        return
    # its pool of processes asks for a loop in a way that uvloop 0.22 does not answer any more
    wanted = [f"mlserver=={SERVER}", f"mlserver-sklearn=={SERVER}", "uvloop<0.22"]
    install(create(SERVER_HOME), [*wanted, *_same_versions("scikit-learn", "numpy")])
    print(f"peer: mlserver {SERVER} installed at {python}")


def _versions(python: Path, names: tuple[str, ...]) -> list[str]:
    """Return the versions of installed distributions; nothing when one is missing."""
    if not python.exists():
        return []
    code = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
    found = subprocess.run([str(python), "-c", code, *names], capture_output=True, text=True, check=False)
    return found.stdout.split()


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
