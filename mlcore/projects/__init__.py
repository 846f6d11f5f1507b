"""Projects: run a directory's or repository's code with checked parameters in its own environment, and record what ran.

`mlcore.projects.run` has the names and the meaning of `mlflow.projects.run`.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers know the name; importing it from typing would be most of this import's time
if TYPE_CHECKING:
    from mlcore.errors import ExecutionError
    from mlcore.projects.project_file import load_project
    from mlcore.projects.reproducing import reproduce
    from mlcore.projects.running import run
    from mlcore.projects.submitted import SubmittedRun

_HOMES = {
    "ExecutionError": "mlcore.errors",
    "SubmittedRun": "mlcore.projects.submitted",
    "load_project": "mlcore.projects.project_file",
    "reproduce": "mlcore.projects.reproducing",
    "run": "mlcore.projects.running",
}

__all__ = ["ExecutionError", "SubmittedRun", "load_project", "reproduce", "run"]


def __getattr__(name: str) -> object:
    """Resolve a public name."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'mlcore.projects' has no attribute {name!r}")
    import importlib

    value = globals()[name] = getattr(importlib.import_module(home), name)
    return value
