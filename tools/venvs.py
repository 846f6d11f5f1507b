"""Make virtual environments and install into them: with uv where it can be had, with plain pip otherwise."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"

# uv reads no pip configuration; who has set pip's variables means them for every installer
_PIP_TO_UV = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
    "PIP_CERT": "SSL_CERT_FILE",
}


def python_of(venv: Path) -> Path:
    """Return the interpreter of *venv*."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def manifest(folder: Path) -> Mapping[str, object]:
    """Read the pyproject.toml of *folder*."""
    return tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))


def dependency_group(folder: Path, name: str) -> list[str]:
    """Return the requirements of a dependency group; empty when the folder's manifest has no such group."""
    groups = manifest(folder).get("dependency-groups")
    found = groups.get(name, []) if isinstance(groups, dict) else []
    return [line for line in found if isinstance(line, str)]


def plugin_folders() -> list[Path]:
    """Return the folders of the first-party plugins, sorted by name."""
    return sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml"))


def run(command: Sequence[str | Path], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> None:
    """Run *command*; end this program with its exit code when it fails."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=env, check=False)
    if done.returncode:
        sys.exit(f"error: exit code {done.returncode} of: {' '.join(str(part) for part in command)}")


def create(venv: Path, *, fresh: bool = False) -> Path:
    """Make *venv* with this interpreter unless it is there; return its python.

    fresh: remove an existing one first.
    """
    if fresh and venv.exists():
        shutil.rmtree(venv)
    python = python_of(venv)
    if not _usable(python):
        print(f"creating {venv}", flush=True)
        done = subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=False)
        if done.returncode:
            sys.exit(f"error: {sys.executable} cannot make {venv}; on Debian and Ubuntu: apt-get install python3-venv")
    return python


def install(python: Path, requirements: Sequence[str | Path]) -> None:
    """Install *requirements* (specifiers, wheels, `-e` and a folder) for *python*."""
    wanted = [str(part) for part in requirements]
    uv = _uv()
    if uv:
        done = subprocess.run(
            [str(uv), "pip", "install", "--quiet", "--python", str(python), *wanted], env=_uv_env(), check=False
        )
        if done.returncode == 0:
            return
        print("uv could not install; trying pip", file=sys.stderr, flush=True)
    run([python, "-m", "pip", "install", "--quiet", *wanted])


def _uv() -> Path | None:
    """Return uv of the development environment, fetched from pip at the first need; None when it cannot be had."""
    if os.environ.get("MLCORE_BOOTSTRAP_UV") == "0":
        return None
    home = ROOT / ".venv"
    uv = python_of(home).with_name("uv.exe" if os.name == "nt" else "uv")
    if not uv.exists() and python_of(home).exists():
        subprocess.run(
            [str(python_of(home)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv"], check=False
        )
    return uv if uv.exists() else None


def _uv_env() -> dict[str, str]:
    env = dict(os.environ)
    env.pop("VIRTUAL_ENV", None)
    for theirs, ours in _PIP_TO_UV.items():
        if env.get(theirs):
            env.setdefault(ours, env[theirs])
    return env


def _usable(python: Path) -> bool:
    if not python.exists():
        return False
    check = [str(python), "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
    return subprocess.run(check, check=False).returncode == 0
