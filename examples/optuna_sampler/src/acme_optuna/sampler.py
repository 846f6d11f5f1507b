"""A search by Optuna: its tree-structured Parzen estimator asks, mlcore runs, and tells it what came of it."""

from __future__ import annotations

from collections.abc import Mapping

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.study import StudyDirection
from optuna.trial import Trial, TrialState

from mlcore.errors import InvalidParameterError
from mlcore.interfaces import Choices, Domain, Integers, SearchTask


class OptunaSampler:
    """One study in memory for one search."""

    def __init__(self) -> None:
        """Wait for a search to begin."""
        self.begin(SearchTask())

    def begin(self, task: SearchTask) -> None:
        """Make a new study."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)  # mlcore has a table of its own
        goal = StudyDirection.MAXIMIZE if task.goal == "max" else StudyDirection.MINIMIZE
        # constant_liar: points that are asked for while others run keep away from those
        chooser = optuna.samplers.TPESampler(seed=task.seed, constant_liar=True)
        self._study = optuna.create_study(sampler=chooser, direction=goal)
        self._space = {name: _distribution(domain) for name, domain in task.domains.items()}
        self._open: dict[int, Trial] = {}

    def ask(self, number: int) -> Mapping[str, str | int | float]:
        """Return the point that looks most promising."""
        trial = self._study.ask(self._space)
        self._open[number] = trial
        return trial.params

    def tell(self, number: int, value: float | None) -> None:
        """Add a result. Raises InvalidParameterError: the run was not asked for, or told already."""
        trial = self._open.pop(number, None)
        if trial is None:
            raise InvalidParameterError(f"run {number} was not asked for, or told before (open: {sorted(self._open)})")
        if value is None:
            self._study.tell(trial, state=TrialState.FAIL)
        else:
            self._study.tell(trial, value)


def _distribution(domain: Domain) -> BaseDistribution:
    if isinstance(domain, Choices):
        return CategoricalDistribution(domain.values)
    if isinstance(domain, Integers):
        return IntDistribution(domain.low, domain.high, step=domain.step)
    return FloatDistribution(domain.low, domain.high, log=domain.log)
