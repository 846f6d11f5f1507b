"""What a table of a search shows: which columns, which runs, and a line about them all."""

from __future__ import annotations

from collections.abc import Sequence

from mlcore.cli.tables import Column
from mlcore.cli.values import number
from mlcore.entities import RunStatus
from mlcore.projects.search.options import SearchOptions
from mlcore.projects.search.space import Space
from mlcore.projects.search.trials import Trial, best_of

_FIRST = (Column("number", "number", "#"), Column("run_id", "id", "run"), Column("status", "status"))
_LAST = (Column("duration_ms", "span", "took"), Column("message"))
_PARAM, _METRIC = "params.", "metrics."


def columns_of(space: Space, options: SearchOptions) -> tuple[Column, ...]:
    """Return the columns: number, run, status, the metric, what varies, duration, message."""
    metric = (Column(f"{_METRIC}{options.metric}", "number", options.metric),) if options.metric else ()
    varied = tuple(Column(f"{_PARAM}{name}", "aligned", name) for name in space.domains)
    return (*_FIRST, *metric, *varied, *_LAST)


def row_of(trial: Trial, columns: Sequence[Column], now: int | None = None) -> list[object]:
    """Return the cells of a run; with *now*, in ms since the epoch, durations of runs that go on, and short numbers."""
    until = trial.ended_ms if trial.ended_ms is not None else now
    fixed: dict[str, object] = {
        "number": trial.number,
        "run_id": trial.run_id,
        "status": trial.status.value,
        "duration_ms": None if until is None else max(0, until - trial.started_ms),
        "message": trial.message,
    }
    cells: list[object] = []
    for column in columns:
        if column.name.startswith(_PARAM):
            text = trial.point.get(column.name[len(_PARAM) :], "")
            cells.append(text if now is None else short(text))
        elif column.name.startswith(_METRIC):
            cells.append(trial.value)
        else:
            cells.append(fixed[column.name])
    return cells


def short(text: str) -> str:
    """Return a value for people: a number with many digits in six of them."""
    try:
        return number(float(text)) if len(text) > 8 and "." in text else text
    except ValueError:
        return text


def present(trials: Sequence[Trial], options: SearchOptions, room: int) -> list[Trial]:
    """Return at most *room* runs by number: those that go on, the best, and the latest ones."""
    best = best_of(trials, options.goal) if options.metric else None
    ranked = sorted(trials, key=lambda trial: (trial.has_ended, trial is not best, -trial.number))
    return sorted(ranked[:room], key=lambda trial: trial.number)


def finally_(trials: Sequence[Trial], options: SearchOptions) -> list[Trial]:
    """Return all runs, the best first where there is a metric, those that failed last."""
    sign = -1 if options.goal == "max" else 1

    def place(trial: Trial) -> tuple[bool, bool, float, int]:
        value = trial.value if options.metric else None
        return trial.status is not RunStatus.FINISHED, value is None, sign * (value or 0.0), trial.number

    return sorted(trials, key=place)


def summary(trials: Sequence[Trial], shown: int, options: SearchOptions) -> str:
    """Return a line: how many runs there are and how they are doing."""
    counts = {status: sum(trial.status is status for trial in trials) for status in RunStatus}
    going = counts[RunStatus.RUNNING] + counts[RunStatus.SCHEDULED]
    words = [f"{len(trials)} run{'s' * (len(trials) != 1)}"]
    words += [f"{going} going on"] if going else []
    words += [
        f"{counts[status]} {status.value.lower()}"
        for status in (RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED)
        if counts[status]
    ]
    best = best_of(trials, options.goal) if options.metric else None
    words += [f"best {options.metric} {number(best.value)} of run {best.run_id[:8]}"] if best else []
    words += [f"{len(trials) - shown} not shown"] if shown < len(trials) else []
    return ", ".join(words)
