"""Tags that the environment gives: a JSON object in MLCORE_RUN_CONTEXT, or in MLFLOW_RUN_CONTEXT."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping

_VARIABLES = ("MLCORE_RUN_CONTEXT", "MLFLOW_RUN_CONTEXT")


class RunContextWarning(UserWarning):
    """A variable with tags can't be used."""


def given_tags() -> Mapping[str, str]:
    """Return the tags; none, and a warning that names the variable, when its value is not a JSON object."""
    for variable in _VARIABLES:
        text = os.environ.get(variable)
        if not text:
            continue
        try:
            found = json.loads(text)
        except json.JSONDecodeError as err:
            _warn(variable, text, str(err))
            return {}
        if not isinstance(found, dict):
            _warn(variable, text, f"it is a {type(found).__name__}")
            return {}
        return {str(key): value if isinstance(value, str) else json.dumps(value) for key, value in found.items()}
    return {}


def _warn(variable: str, text: str, fault: str) -> None:
    warnings.warn(
        f'{variable} is left out: expected a JSON object of tags such as \'{{"team": "a"}}\', got {text[:80]!r} ({fault})',
        RunContextWarning,
        stacklevel=2,
    )
