"""What recording 100 metrics a step costs a training loop: mlcore, MLflow, Aim and Weights & Biases, each in its own way."""

from __future__ import annotations

import statistics
import sys

from measure import ROOT, Row, Side, less, worker

STEPS = 100  # with recording, and as many without, in blocks that take turns
TURNS = 3
OTHERS = ("aim", "wandb")


def training(pair: tuple[Side, Side]) -> list[Row]:
    """Train a scikit-learn classifier by `partial_fit`; compare the steps that record with those that do not."""
    everybody = [*pair, *(_peer(name) for name in OTHERS)]
    found: dict[str, list[dict[str, float]]] = {side.module: [] for side in everybody}
    for turn in range(TURNS + 1):  # in turns, so that a busy minute of the machine meets all; the first is thrown away
        for side in everybody:
            answer = worker(side, "training_loop", str(STEPS))
            if turn:
                found[side.module].append(answer)

    def values(name: str, key: str) -> list[float]:
        return [answer[key] for answer in found[name]]

    ours, rows = pair[0].module, []
    for other in (pair[1].module, *OTHERS):
        for key, what in (
            ("added_ms", "added"),
            ("added_cpu_ms", "added, CPU"),
            ("whole_ms", "added, with the run's end"),
        ):
            mine = [max(value, 0.001) for value in values(ours, key)]
            rows.append(less(f"training step {what}, against {other}", "ms", mine, values(other, key)))
    bare = statistics.median(value for side in everybody for value in values(side.module, "bare_ms"))
    for side in everybody:
        slower = [1 + value / bare for value in values(side.module, "added_ms")]
        rows.append(
            Row(
                f"slow-down of a step of {bare:.1f} ms, {side.module}",
                "times",
                statistics.median(slower),
                None,
                None,
                None,
            )
        )
    return rows


def _peer(name: str) -> Side:
    python = ROOT / ".cache" / "peers" / name / "bin" / "python"
    if not python.exists():
        sys.exit(f"error: no {name} at {python}: make peer")
    return Side(name, python)
