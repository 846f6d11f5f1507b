"""Experiments full of runs, as the tests of the explorer look at them."""

from __future__ import annotations

import math

from attrs import frozen

from mlcore.entities import Metric, Param, RunStatus
from mlcore.tracking.client import Client

HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'`{{7*7}}"
START_MS = 1_700_000_000_000
_MODELS = ("tree", "linear", "gbm", "mlp")


@frozen
class Sweep:
    """An experiment: its id, and the ids of its runs in the order of their starts."""

    experiment_id: str
    run_ids: tuple[str, ...]


def sweep(client: Client, name: str, runs: int, *, nested: int = 0) -> Sweep:
    """Record *runs* runs, of which the last *nested* are children of the first one.

    Run N has `params.lr` N / 1000, and a curve of `rmse` that ends at 1 + N / 100 with its least value N / 1000.
    """
    experiment_id = client.create_experiment(name)
    made: list[str] = []
    for at in range(runs):
        tags = {"mlflow.parentRunId": made[0]} if at >= runs - nested else {}
        run = client.create_run(
            experiment_id, START_MS + at * 60_000, {**tags, "team": "red" if at % 3 else "blue"}, f"run-{at:04}"
        )
        made.append(run.info.run_id)
        client.log_batch(
            run.info.run_id,
            metrics=[
                Metric("rmse", at / 1000, START_MS, 0),
                Metric("rmse", 1 + at / 100, START_MS, 1),
                Metric("acc", math.nan if at == 1 else 1 - at / runs, START_MS, 0),
            ],
            params=[Param("lr", str(at / 1000)), Param("model", _MODELS[at % 4]), Param("same", "1")],
        )
        status = RunStatus.FAILED if at % 10 == 9 else RunStatus.FINISHED
        client.set_terminated(run.info.run_id, status, START_MS + at * 60_000 + 30_000)
    return Sweep(experiment_id, tuple(made))


def hostile(client: Client) -> Sweep:
    """Record an experiment in which every text is an attack, and keys are as odd as they may be."""
    experiment_id = client.create_experiment(
        f"odd {HOSTILE}",
        tags={"mlflow.note.content": f"# Note\n\n{HOSTILE}\n\n[go](javascript:alert(3))", "x": HOSTILE},
    )
    runs = []
    for at in range(2):
        run = client.create_run(experiment_id, START_MS + at, {"tag a": HOSTILE, "b:c/d": str(at)}, f"{HOSTILE} {at}")
        client.log_batch(
            run.info.run_id,
            metrics=[Metric("val loss", float(at), START_MS, 0), Metric("loss.min", at + 0.5, START_MS, 0)],
            params=[Param("batch size", HOSTILE + str(at)), Param("long", "x" * 200 + str(at))],
        )
        runs.append(run.info.run_id)
    return Sweep(experiment_id, tuple(runs))
