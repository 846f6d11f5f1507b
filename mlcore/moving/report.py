"""What to copy, and what became of it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from attrs import evolve, fields, frozen

EXAMPLES = 10


@frozen(kw_only=True)
class Choice:
    """What to copy of a store.

    experiments: names or ids; all when empty.
    run_ids: only these runs, with their experiments.
    artifacts: whether files are copied; without them, experiments that are made point to where the files are.
    models: whether registered models are copied; of a choice of experiments or runs only the versions made by them.
    dry_run: compare, write nothing, and tell what would be done.
    jobs: how many runs are copied at once.
    """

    experiments: tuple[str, ...] = ()
    run_ids: tuple[str, ...] = ()
    artifacts: bool = True
    models: bool = True
    dry_run: bool = False
    jobs: int = 4

    @property
    def is_part(self) -> bool:
        """Whether it is less than the whole store."""
        return bool(self.experiments or self.run_ids)


@frozen(kw_only=True)
class Counts:
    """What was written, or in a dry run would be.

    runs_changed: runs that were there and got something new. runs_unchanged: those in which nothing was missing.
    values: params and tags. artifact_bytes: of the files that were sent.
    writes: calls that change the target, artifacts included; 0 when both sides were equal.
    """

    experiments: int = 0
    runs: int = 0
    runs_changed: int = 0
    runs_unchanged: int = 0
    points: int = 0
    values: int = 0
    datasets: int = 0
    artifact_files: int = 0
    artifact_bytes: int = 0
    logged_models: int = 0
    models: int = 0
    versions: int = 0
    writes: int = 0


@frozen
class Renumbered:
    """Something that has another id in the target: an `experiment` or a `run`."""

    kind: str
    name: str
    source_id: str
    target_id: str


@frozen
class Shortfall:
    """What the target cannot keep, or keeps otherwise; with the first few examples."""

    what: str
    count: int
    examples: tuple[str, ...] = ()


@frozen
class Failure:
    """What could not be copied and may be the next time, such as files whose storage did not answer."""

    what: str
    why: str


@frozen(kw_only=True)
class Report:
    """What became of a copy.

    renumbered: experiments, and the first runs, that have other ids in the target; the runs keep theirs in a tag.
    running: ids of runs that had not ended at the source, and were copied as they stood.
    shortfalls: what the target does not keep. failures: what to try again.
    """

    source: str
    target: str
    dry_run: bool
    counts: Counts
    renumbered: tuple[Renumbered, ...] = ()
    running: tuple[str, ...] = ()
    shortfalls: tuple[Shortfall, ...] = ()
    failures: tuple[Failure, ...] = ()


@frozen
class Step:
    """How far a copy is.

    doing: such as the name of the experiment. total: how many runs there are; None when the source does not count.
    """

    doing: str
    runs: int
    total: int | None
    points: int
    artifact_bytes: int


class Tally:
    """Gathers what becomes of a copy, from several threads."""

    def __init__(self, tell: Callable[[Step], None] | None = None) -> None:
        """Begin with nothing; *tell* hears of each step, one call at a time."""
        self._tell = tell
        self._lock = threading.RLock()
        self._counts = dict.fromkeys((each.name for each in fields(Counts)), 0)
        self._renumbered: list[Renumbered] = []
        self._running: list[str] = []
        self._shortfalls: dict[str, Shortfall] = {}
        self._failures: list[Failure] = []
        self._doing = ""
        self._total: int | None = None
        self._runs = 0

    @property
    def counts(self) -> Counts:
        """What was counted so far."""
        with self._lock:
            return Counts(**self._counts)

    def add(self, **more: int) -> None:
        """Count: names and numbers of `Counts`."""
        with self._lock:
            for name, number in more.items():
                self._counts[name] += number

    def begin(self, doing: str, total: int | None) -> None:
        """Note what is being done."""
        with self._lock:
            self._doing, self._total = doing, total
            self._step()

    def run_done(self) -> None:
        """Note that one more run was looked at."""
        with self._lock:
            self._runs += 1
            self._step()

    def renumber(self, kind: str, name: str, source_id: str, target_id: str) -> None:
        """Note another id; of runs the first few only, as all are found by their tag."""
        with self._lock:
            if kind != "run" or sum(each.kind == "run" for each in self._renumbered) < EXAMPLES:
                self._renumbered.append(Renumbered(kind, name, source_id, target_id))

    def running(self, run_id: str) -> None:
        """Note a run that has not ended."""
        with self._lock:
            self._running.append(run_id)

    def lack(self, what: str, example: str, count: int = 1) -> None:
        """Note what the target does not keep."""
        with self._lock:
            before = self._shortfalls.get(what, Shortfall(what, 0))
            shown = (*before.examples, example) if len(before.examples) < EXAMPLES else before.examples
            self._shortfalls[what] = evolve(before, count=before.count + count, examples=shown)

    def fail(self, what: str, why: str) -> None:
        """Note what could not be done now."""
        with self._lock:
            self._failures.append(Failure(what, why))

    def report(self, source: str, target: str, *, dry_run: bool) -> Report:
        """Return what was gathered."""
        with self._lock:
            return Report(
                source=source,
                target=target,
                dry_run=dry_run,
                counts=self.counts,
                renumbered=tuple(self._renumbered),
                running=tuple(sorted(self._running)),
                shortfalls=tuple(self._shortfalls[what] for what in sorted(self._shortfalls)),
                failures=tuple(self._failures),
            )

    def _step(self) -> None:
        if self._tell is not None:
            counts = self._counts
            self._tell(Step(self._doing, self._runs, self._total, counts["points"], counts["artifact_bytes"]))
