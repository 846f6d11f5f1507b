"""Go to anything: experiments, runs and models by a part of their name or the beginning of their id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from attrs import evolve, frozen

from mlcore.entities import (
    Comparison,
    Experiment,
    ExperimentQuery,
    Field,
    Filter,
    Or,
    Run,
    RunQuery,
)
from mlcore.interfaces import RegistryStore, TrackingStore

T = TypeVar("T")

Readable = Callable[[str, Sequence[str]], frozenset[str]]

_PAGE = 1000
_MOST_EXPERIMENTS = 10_000
_NAME, _ID = Field("attribute", "run_name"), Field("attribute", "run_id")


@frozen
class Found:
    """What a search has found, the best first."""

    experiments: tuple[Experiment, ...]
    runs: tuple[Run, ...]
    models: tuple[str, ...]


def find(tracking: TrackingStore, registry: RegistryStore | None, text: str, limit: int, readable: Readable) -> Found:
    """Find what is called *text*: a part of a name in any case, or the beginning of an id.

    text: an empty one finds the newest of everything.
    limit: how many of each kind.
    readable: returns those of some ids of a kind, as in `Resource`, that may be shown.
    """
    allowed = _readable_experiments(tracking, readable)
    wanted = text.lower()
    experiments = [
        one for one in allowed if wanted in one.name.lower() or (text and one.experiment_id.startswith(text))
    ]
    ids = tuple(one.experiment_id for one in allowed)
    # those that are called exactly so may be older than many that are called nearly so
    runs = {run.info.run_id: run for run in islice(_called(tracking, ids, text), limit)}
    runs |= {run.info.run_id: run for run in islice(_runs(tracking, ids, text), limit)}
    return Found(
        tuple(_best(experiments, text, lambda one: (one.experiment_id, one.name))[:limit]),
        tuple(_best(list(runs.values()), text, lambda run: (run.info.run_id, run.info.run_name))[:limit]),
        () if registry is None else tuple(islice(_models(registry, text, readable), limit)),
    )


def _readable_experiments(store: TrackingStore, readable: Readable) -> list[Experiment]:
    """Return the active experiments that may be shown, the newest first."""
    found: list[Experiment] = []
    query = ExperimentQuery(max_results=_PAGE)
    while True:
        page = store.search_experiments(query)
        allowed = readable("experiment", [one.experiment_id for one in page.items])
        found += [one for one in page.items if one.experiment_id in allowed]
        if page.next_token is None or len(found) >= _MOST_EXPERIMENTS:
            return found[:_MOST_EXPERIMENTS]
        query = evolve(query, page_token=page.next_token)


def _called(store: TrackingStore, experiment_ids: tuple[str, ...], text: str) -> tuple[Run, ...]:
    """Return the newest active runs that have exactly this name."""
    if not experiment_ids or not text:
        return ()
    return store.search_runs(RunQuery(experiment_ids, Comparison(_NAME, "=", text), max_results=100, columns=())).items


def _runs(store: TrackingStore, experiment_ids: tuple[str, ...], text: str) -> Iterator[Run]:
    """Yield the active runs that fit, the newest first."""
    if not experiment_ids:
        return
    query = RunQuery(experiment_ids, _filter(text), max_results=100, columns=())
    while True:
        page = store.search_runs(query)
        for run in page.items:
            # `%` and `_` stand for others in a pattern, which has no escape
            if text.lower() in run.info.run_name.lower() or run.info.run_id.startswith(text):
                yield run
        if page.next_token is None:
            return
        query = evolve(query, page_token=page.next_token)


def _filter(text: str) -> Filter | None:
    if not text:
        return None
    return Or((Comparison(_NAME, "ILIKE", f"%{text}%"), Comparison(_ID, "LIKE", f"{text}%")))


def _models(registry: RegistryStore, text: str, readable: Readable) -> Iterator[str]:
    """Yield the names of the registered models that fit."""
    quoted = text.replace("'", "_").replace("\\", "_")
    filter_string = f"name ILIKE '%{quoted}%'" if text else ""
    token: str | None = None
    while True:
        page = registry.search_models(filter_string, order_by=(), max_results=100, page_token=token)
        names = [model.name for model in page.items if text.lower() in model.name.lower()]
        allowed = readable("registered_model", names)
        yield from (name for name in names if name in allowed)
        token = page.next_token
        if token is None:
            return


def _best(found: Sequence[T], text: str, names: Callable[[T], Iterable[str]]) -> list[T]:
    """Sort so that what is called exactly so comes first, then what begins so; else the order stays."""
    wanted = text.lower()

    def rank(one: T) -> int:
        lowered = [name.lower() for name in names(one)]
        return 0 if wanted in lowered else 1 if any(name.startswith(wanted) for name in lowered) else 2

    return sorted(found, key=rank)
