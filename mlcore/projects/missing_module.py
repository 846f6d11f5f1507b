"""Why a command found no module: its environment has only what the project names, and that may be nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import evolve

from mlcore.entities import RunStatus
from mlcore.errors import MlcoreError
from mlcore.projects.environments import CONDA, DOCKER, LOCAL, kind_of

if TYPE_CHECKING:
    from mlcore.projects.environments import Placed
    from mlcore.projects.following import Output
    from mlcore.projects.outcome import Outcome
    from mlcore.projects.plan import Plan

_MISSING = re.compile(r"^ModuleNotFoundError: No module named '([^'\n]+)'", re.MULTILINE)
_SHOWN = 3


def explained(outcome: Outcome, plan: Plan, placed: Placed, output: Output) -> Outcome:
    """Return the outcome of a command, with a hint in its message where it lacked a module in an empty environment."""
    if outcome.status is not RunStatus.FAILED or not _asks_for_nothing(plan):
        return outcome
    missing = _MISSING.findall(output.end())
    if not missing:
        return outcome
    source = plan.environment.source
    where = f"its {source.name}" if source else "a python_env.yaml in its directory"
    hint = (
        f"no module {missing[-1]!r}, as the environment of {placed.manager!r} holds {_held(placed)}: the project names no "
        f"requirements; list them under 'dependencies' in {where}, or run it with --env-manager local"
    )
    return evolve(outcome, message=f"{outcome.message}: {hint}")


def _asks_for_nothing(plan: Plan) -> bool:
    spec = plan.environment
    is_made_here = plan.manager != LOCAL and plan.job.environment is None
    return is_made_here and not spec.requirements and kind_of(spec) not in (CONDA, DOCKER)


def _held(placed: Placed) -> str:
    try:
        lines = placed.lock()
    except MlcoreError:  # the outcome is worth more than the hint
        return "what its manager does not tell"
    more = f" and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return f"only {', '.join(lines[:_SHOWN])}{more}" if lines else "nothing but Python"
