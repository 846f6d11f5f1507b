"""What recording costs the job, what goes in a second, and what the delivery of a journal costs."""

from __future__ import annotations

from measure import Row, Side, at_most, less, more, worker

CALLS = (20_000, 300)
POINTS = 1_000_000
TURNS = 3


def record(pair: tuple[Side, Side]) -> list[Row]:
    """Time single calls beside a bare write, sustained recording, and the replay of 1,000,000 points."""
    answers: list[list[dict[str, float]]] = [[], []]
    for _ in range(TURNS):
        for index, side in enumerate(pair):
            answers[index].append(worker(side, "record", str(CALLS[index])))
    ours, theirs = answers
    replays = [worker(pair[0], "replay", str(POINTS)) for _ in range(TURNS)]
    return [
        less("log_metric, a call, median", "us", _of(ours, "p50_us"), _of(theirs, "p50_us"), 300),
        less("log_metric, a call, slowest of 100", "us", _of(ours, "p99_us"), _of(theirs, "p99_us")),
        at_most("log_metric, a call, median", "us", _of(ours, "p50_us"), 5),
        at_most("log_metric, a call, slowest of 100", "us", _of(ours, "p99_us"), 50),
        at_most("log_metric against a bare write", "x", [a["p50_us"] / a["bare_us"] for a in ours], 3),
        at_most(
            "log_metrics of 100, sustained: a point", "us", [1e6 / rate for rate in _of(ours, "batch_per_second")], 5
        ),
        more(
            "log_metrics of 100, sustained", "points/s", _of(ours, "batch_per_second"), _of(theirs, "batch_per_second")
        ),
        more("log_metric, sustained", "calls/s", _of(ours, "single_per_second"), _of(theirs, "single_per_second")),
        at_most("replay of 1,000,000 points against raw inserts", "x", [a["replayed"] / a["raw"] for a in replays], 2),
    ]


def _of(answers: list[dict[str, float]], name: str) -> list[float]:
    return [answer[name] for answer in answers]
