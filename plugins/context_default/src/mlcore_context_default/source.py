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
    """

    name: str
    kind: str
    directory: Path | None
    entry_point: str = ""


def user() -> str:
    """Return the login name; the user id where the system has no name for it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
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
    here = Path.cwd()
    if spec is not None and spec.name and file:
        module = spec.name.removesuffix(".__main__")
        return Source(module, "LOCAL", Path(file).absolute().parent, module)
    if file and not file.startswith("<"):
        script = Path(file).absolute()
        installed = script.parent in {
            Path(sys.executable).parent,
            Path(sys.prefix) / "bin",
            Path(sys.prefix) / "Scripts",
        }
        # an installed console script is a few generated lines; the code that matters is where it was called
        return (
            Source(script.name, "LOCAL", here, script.name)
            if installed
            else Source(str(script), "LOCAL", script.parent)
        )
    return Source("<command line>" if sys.argv[:1] == ["-c"] else _PROMPT, "LOCAL", here)


def _notebook() -> Source | None:
    """Return the notebook that runs in this kernel; its name when the front end tells it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    if shell is None or "IPKernelApp" not in getattr(shell, "config", {}):
        return None
    told = getattr(shell, "user_ns", {}).get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    if not told:
        return Source("<notebook>", "NOTEBOOK", Path.cwd())
    path = Path(told)
    return Source(str(path), "NOTEBOOK", path.parent if path.is_absolute() else Path.cwd())
