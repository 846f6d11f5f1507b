"""Take stretches of foreign journals into a run, each entry exactly once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter

from mlcore.entities import Batch, Entry, LifecycleStage, Metric, Note, Recorded, RunChange
from mlcore.errors import InvalidStateError, MlcoreError, ParamConflictError, StoreUnavailableError
from mlcore_store_file.experiments import deleted
from mlcore_store_file.following import REPLAY, REPLAYED
from mlcore_store_file.part import Place
from mlcore_store_file.runs import Runs

_POINTS = 1000
_GROUP = 20_000


def replay(
    place: Place, runs: Runs, run_id: str, writer: str, entries: Sequence[Entry]
) -> list[tuple[int, MlcoreError]]:
    """Record the entries that are new; return sequence and error of each that is refused.

    A group of entries and the position that it reaches are one append, which readers take as a whole or not at all.
    """
    with place.lock:
        state = runs.state(run_id)
        done = state.positions.get(writer, -1)
        known = _again(state.rejected.get(writer, {}), entries)
        fresh = [entry for entry in entries if entry.sequence > done]
        checks = _Checks(run_id, {key: value for key, (_, value) in state.params.items()})
        checks.is_deleted = runs.is_deleted(state)
        for start in range(0, len(fresh), _GROUP):
            group = fresh[start : start + _GROUP]
            taken = [entry.recorded for entry in group if checks.accepts(entry)]
            refused = {str(at): [type(error).__name__, str(error)] for at, error in checks.news()}
            note = Note(REPLAYED, {"writer": writer, "upto": group[-1].sequence, "refused": refused})
            journal = runs.journal(run_id)
            try:
                journal.write_group([Note(REPLAY), *_merged(taken), note], place.clock.after())
            except (OSError, ValueError) as err:
                raise StoreUnavailableError(f"cannot record in {str(journal.path)!r}: {err}") from err
        return sorted([*known, *checks.refused], key=itemgetter(0))


def _again(rejected: Mapping[int, tuple[str, str]], entries: Sequence[Entry]) -> list[tuple[int, MlcoreError]]:
    """Return what was refused of entries that an earlier call brought."""
    found: list[tuple[int, MlcoreError]] = []
    for entry in entries:
        if entry.sequence in rejected:
            kind, text = rejected[entry.sequence]
            found.append((entry.sequence, _ERRORS.get(kind, InvalidStateError)(text)))
    return found


_ERRORS: dict[str, type[MlcoreError]] = {each.__name__: each for each in (InvalidStateError, ParamConflictError)}


class _Checks:
    """What the entries before one leave of the run, as far as it decides whether the next can be taken."""

    def __init__(self, run_id: str, params: dict[str, str]) -> None:
        self.refused: list[tuple[int, MlcoreError]] = []
        self.is_deleted = False
        self._told = 0
        self._run_id = run_id
        self._params = params

    def accepts(self, entry: Entry) -> bool:
        """Tell whether an entry is taken; if not, it is among the refused."""
        recorded = entry.recorded
        stage = recorded.lifecycle_stage if isinstance(recorded, RunChange) else None
        moves = isinstance(recorded, RunChange) and (
            recorded == RunChange(lifecycle_stage=stage) or stage is LifecycleStage.ACTIVE
        )
        error: InvalidStateError | ParamConflictError | None = None
        if self.is_deleted and not moves:
            error = deleted(f"run '{self._run_id}'")
        elif isinstance(recorded, Batch):
            error = self._conflict(recorded)
        if error is not None:
            self.refused.append((entry.sequence, error))
        elif stage is not None:
            self.is_deleted = stage is LifecycleStage.DELETED
        return error is None

    def news(self) -> list[tuple[int, MlcoreError]]:
        """Return what was refused since the last call."""
        fresh, self._told = self.refused[self._told :], len(self.refused)
        return fresh

    def _conflict(self, batch: Batch) -> ParamConflictError | None:
        given: dict[str, str] = {}
        for param in batch.params:
            old = given.setdefault(param.key, self._params.get(param.key, param.value))
            if old != param.value:
                return ParamConflictError(f"param {param.key!r} has the value {old!r} already, got {param.value!r}")
        self._params |= given
        return None


def _merged(taken: Sequence[Recorded]) -> Iterator[Recorded]:
    """Join neighbouring batches that hold nothing but points."""
    points: list[Metric] = []
    for recorded in taken:
        is_points = isinstance(recorded, Batch) and not (recorded.params or recorded.tags)
        if isinstance(recorded, Batch) and is_points:
            points += recorded.metrics
        if points and (not is_points or len(points) >= _POINTS):
            yield Batch(tuple(points))
            points = []
        if not is_points:
            yield recorded
    if points:
        yield Batch(tuple(points))
