"""Which program runs: a script, a module, a console script, a notebook, or a prompt."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path

from attrs import frozen

_PROMPT = "<stdin>"


@frozen
class Source:
    """The program of the process.

    name: absolute path of a script or notebook, `module` after `python -m`, or what stands for a prompt.
    kind: `LOCAL` or `NOTEBOOK`.
    entry_point: the console script or module that was called; empty for plain scripts.
    directory: where the code is, for the git state; None when it has no place.
    interactive: whether somebody types the code, so that it changes while the process runs.
    """

    name: str
    kind: str
    directory: Path | None
    entry_point: str = ""
    interactive: bool = False


def user() -> str:
    """Return the login name; the user id where the system has no name for it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        # containers often run under an id that has no entry in the password database
        return str(os.getuid()) if hasattr(os, "getuid") else ""


def find_source() -> Source:
    """Tell what this process runs; reads `sys` and the environment only."""
    notebook = _notebook()
    if notebook is not None:
        return notebook
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    file = getattr(main, "__file__", None)
    here = _working_directory()
    if spec is not None and spec.name and file:
        module = spec.name.removesuffix(".__main__")
        return Source(module, "LOCAL", here if _is_installed(file) else Path(file).absolute().parent, module)
    if _shell() is not None:
        return Source("<ipython>", "LOCAL", here, interactive=True)
    if file and not file.startswith("<"):
        script = Path(file) if here is None else here / file
        # an installed console script is a few generated lines; the code that matters is where it was called
        if _is_installed(file):
            return Source(script.name, "LOCAL", here, script.name)
        return Source(str(script), "LOCAL", script.parent)
    if sys.argv[:1] == ["-c"]:
        return Source("<command line>", "LOCAL", here)
    return Source(_PROMPT, "LOCAL", here, interactive=True)


def _working_directory() -> Path | None:
    try:
        return Path.cwd()
    except OSError:
        return None  # somebody removed it


def _is_installed(file: str) -> bool:
    """Whether *file* belongs to this Python or its environment, which often lies inside of somebody's checkout."""
    path = Path(file)
    if "site-packages" in path.parts or "dist-packages" in path.parts:
        return True
    scripts = {Path(sys.executable or sys.prefix).parent, Path(sys.prefix) / "bin", Path(sys.prefix) / "Scripts"}
    return path.is_absolute() and path.parent in scripts


def _shell() -> object:
    """Return IPython's shell of this process, if it has one."""
    ipython = sys.modules.get("IPython")
    find = getattr(ipython, "get_ipython", None)
    return find() if callable(find) else None


def _notebook() -> Source | None:
    """Return the notebook that runs in this kernel; its name when the front end tells it."""
    shell = _shell()
    if shell is None or "IPKernelApp" not in getattr(shell, "config", {}):
        return None
    here = _working_directory()
    told = getattr(shell, "user_ns", {}).get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    if not told:
        return Source("<notebook>", "NOTEBOOK", here, interactive=True)
    path = Path(str(told))
    return Source(str(path), "NOTEBOOK", path.parent if path.is_absolute() else here, interactive=True)
