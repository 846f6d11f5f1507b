"""What child processes inherit of the choices that a program made by calls: environment variables, as in MLflow."""

from __future__ import annotations

import os


class Inherited:
    """Variables of this process that were set for its children, each with what it was before."""

    def __init__(self) -> None:
        """Begin with none."""
        self._before: dict[str, str | None] = {}

    def set(self, variable: str, value: str) -> None:
        """Let children see *value*."""
        self._before.setdefault(variable, os.environ.get(variable))
        os.environ[variable] = value

    def take_back(self, *variables: str) -> None:
        """Give the variables, all that were set when none is named, the values that they had before."""
        for variable in variables or tuple(self._before):
            if variable not in self._before:
                continue
            before = self._before.pop(variable)
            if before is not None:
                os.environ[variable] = before
            else:
                os.environ.pop(variable, None)
