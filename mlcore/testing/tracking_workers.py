"""What other processes do to a tracking store while its contract suite watches.

Run as a program: plugin module, URI, what to do, its arguments. It says `ready`, waits for a line, then works.
"""

from __future__ import annotations

import importlib
import inspect
import sys

from mlcore.entities import Batch, Entry, Metric, NewRun, Param, RunTag
from mlcore.errors import AlreadyExistsError
from mlcore.interfaces import SupportsReplay, TrackingStore
from mlcore.testing.processes import say


def open_by_plugin(module: str, uri: str) -> TrackingStore:
    """Open the store at *uri* by the hook of the plugin *module*."""
    hook = importlib.import_module(module).tracking_store
    given = {"uri": uri, "artifact_root": None}
    store = hook(**{name: given[name] for name in inspect.signature(hook).parameters})
    if not isinstance(store, TrackingStore):
        raise TypeError(f"{module}.tracking_store({uri!r}) returned {store!r}, expected a TrackingStore")
    return store


def whole(number: int) -> Batch:
    """Return the batch with that number: parts that have to be there together or not at all."""
    points = tuple(Metric(key, float(number), number, number) for key in ("a", "b", "c"))
    return Batch(points, (Param(f"p{number}", str(number)),), (RunTag(f"t{number}", str(number)),))


def main(module: str, uri: str, work: str, *arguments: str) -> None:
    """Open the store, wait for the signal, and work."""
    store = open_by_plugin(module, uri)
    say("ready")
    sys.stdin.readline()
    if work == "experiment":
        say(_create_experiment(store, arguments[0]))
    elif work == "run":
        _create_and_log(store, arguments[0], int(arguments[1]))
        say("done")
    elif work == "replay":
        _replay_for_ever(store, arguments[0])
    else:
        _log_for_ever(store, arguments[0])
    store.close()


def _create_experiment(store: TrackingStore, name: str) -> str:
    try:
        store.create_experiment(name, artifact_location=None, tags={})
    except AlreadyExistsError:
        return "taken"
    return "created"


def _create_and_log(store: TrackingStore, run_id: str, number: int) -> None:
    store.create_run(NewRun("0", run_id, "n", "u", 1))
    for step in range(5):
        store.log_batch(run_id, Batch(metrics=(Metric("m", float(number), number, step),)))


def _log_for_ever(store: TrackingStore, run_id: str) -> None:
    store.create_run(NewRun("0", run_id, "n", "u", 1))
    for number in range(1_000_000):
        store.log_batch(run_id, whole(number))
        say(str(number))


def _replay_for_ever(store: TrackingStore, run_id: str) -> None:
    if not isinstance(store, SupportsReplay):
        raise TypeError(f"the store {store!r} takes no journals")
    store.create_run(NewRun("0", run_id, "n", "u", 1))
    for number in range(1_000_000):
        store.replay(run_id, "w", [Entry(number, number, whole(number))])
        say(str(number))


if __name__ == "__main__":
    main(*sys.argv[1:])
