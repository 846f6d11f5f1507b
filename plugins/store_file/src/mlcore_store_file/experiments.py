"""The part of the store that keeps experiments."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from mlcore.entities import Experiment, ExperimentChange, ExperimentQuery, LifecycleStage, Page
from mlcore.errors import AlreadyExistsError, InvalidStateError, NotFoundError, StoreUnavailableError
from mlcore.tracking.evaluate import experiment_matches, sort_experiments
from mlcore.uris import join
from mlcore_store_file.claims import Claim, Claims
from mlcore_store_file.experiment_state import CHANGED, CREATED, ExperimentState
from mlcore_store_file.following import Tail
from mlcore_store_file.layout import names_in
from mlcore_store_file.paging import page_of
from mlcore_store_file.part import Place

DEFAULT, DEFAULT_NAME = "0", "Default"
_BITS = 63


def experiment_number(name: str, attempt: int = 0) -> str:
    """Return the id of an experiment that is created with *name*: the same on machines that never met.

    attempt: 1 and more where another experiment has the ids of the attempts before.
    """
    text = name if attempt == 0 else f"{name}\0{attempt}"
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return str((int.from_bytes(digest[:8], "big") >> (64 - _BITS)) or 1)


class Experiments:
    """Read and record experiments."""

    def __init__(self, place: Place) -> None:
        """Use the store at *place*."""
        self._place = place
        self._claims = Claims(place.layout.claims / "experiments")
        self._known: dict[Path, tuple[Tail, ExperimentState]] = {}

    def ensure_default(self) -> None:
        """Make the default experiment, if the store can be written."""
        if self.state(DEFAULT) is None:
            try:
                self._create(DEFAULT, DEFAULT_NAME, None, {})
            except (AlreadyExistsError, StoreUnavailableError):
                return

    def state(self, experiment_id: str) -> ExperimentState | None:
        """Return what the journals say of an experiment now; None when there is none."""
        folder = self._place.layout.experiment(experiment_id)
        with self._place.lock:
            found = self._read(folder)
        if found is None and experiment_id == DEFAULT:
            return None
        return found

    def all(self) -> dict[str, ExperimentState]:
        """Return all experiments by id."""
        folder = self._place.layout.experiments
        names = names_in(folder)
        found: dict[str, ExperimentState] = {}
        with self._place.lock:
            for name in names:
                state = self._read(folder / name)
                if state is not None:
                    found[self._known[folder / name][0].subject or name] = state
        return found

    def shown(self) -> dict[str, Experiment]:
        """Return all experiments as they are shown, by id.

        Of two that got one name on machines that did not know of each other, the later one's has its id added.
        """
        states = self.all()
        if DEFAULT not in states:
            states[DEFAULT] = ExperimentState(name=((0, "", 0), DEFAULT_NAME))
        taken: set[str] = set()
        shown: dict[str, Experiment] = {}
        for experiment_id, state in sorted(states.items(), key=lambda each: each[1].name[0]):
            name = state.name[1] if state.name[1] not in taken else f"{state.name[1]} ({experiment_id})"
            taken.add(name)
            shown[experiment_id] = Experiment(
                experiment_id,
                name,
                self.location(experiment_id, state),
                state.stage,
                max(state.creation_time, 0),
                max(state.last_update_time, 0),
                state.shown_tags(),
            )
        return shown

    def location(self, experiment_id: str, state: ExperimentState | None) -> str:
        """Return the URI below which an experiment puts artifacts."""
        return (state.location if state else None) or self._place.layout.artifacts(experiment_id)

    def active(self, experiment_id: str) -> ExperimentState:
        """Return an experiment that takes runs. Raises NotFoundError, InvalidStateError: it is deleted."""
        state = self.state(experiment_id)
        if state is None:
            if experiment_id == DEFAULT:
                return ExperimentState()
            raise NotFoundError(f"no experiment with id='{experiment_id}'")
        if state.stage is LifecycleStage.DELETED:
            raise deleted(f"experiment '{experiment_id}'")
        return state

    def get(self, experiment_id: str) -> Experiment:
        """Return an experiment, deleted or not."""
        if experiment_id != DEFAULT and self.state(experiment_id) is None:
            raise NotFoundError(f"no experiment with id='{experiment_id}'")
        return self.shown()[experiment_id]

    def by_name(self, name: str) -> Experiment | None:
        """Return the experiment of that name, deleted or not."""
        return next((each for each in self.shown().values() if each.name == name), None)

    def create(self, name: str, artifact_location: str | None, tags: dict[str, str]) -> Experiment:
        """Create an experiment whose name no other has."""
        attempt = 0
        while self._is_other(experiment_number(name, attempt), name):
            attempt += 1
        return self._create(experiment_number(name, attempt), name, artifact_location, tags)

    def adopt(self, given: Experiment) -> Experiment:
        """Take over an experiment of another store; a second call returns it as it is."""
        with self._place.lock:
            holder = self.by_name(given.name)
            found = self._adopted(given)
            if found is not None:
                return found
            if holder is not None and holder.experiment_id != given.experiment_id:
                raise AlreadyExistsError(f"experiment {given.name!r} already exists with id '{holder.experiment_id}'")
            if holder is not None:
                return self._complete_default(given)
            times = [given.creation_time or 0, given.last_update_time or given.creation_time or 0]
            more: dict[str, object] = {"times": times} if given.creation_time is not None else {}
            if given.lifecycle_stage is LifecycleStage.DELETED:
                more["stage"] = given.lifecycle_stage.value
            try:
                return self._create(given.experiment_id, given.name, given.artifact_location, dict(given.tags), more)
            except AlreadyExistsError:
                found = self._adopted(given)
                if found is None:
                    raise
                return found  # another process was faster

    def change(self, experiment_id: str, change: ExperimentChange) -> Experiment:
        """Rename, tag, delete or restore an experiment."""
        with self._place.lock:
            old = self.get(experiment_id)
            self._check(old, change)
            data: dict[str, object] = {"tags": dict(change.set_tags), "removed": list(change.delete_tags)}
            if change.lifecycle_stage is not None:
                data["stage"] = change.lifecycle_stage.value
            if change.name is None or change.name == old.name:
                self._note(experiment_id, CHANGED, data)
                return self.get(experiment_id)
            data["name"] = change.name
            with self._claims.taken(
                change.name, experiment_id, lambda: self._refuse_taken(str(change.name)), self._is_recorded
            ) as token:
                self._note(experiment_id, CHANGED, {**data, "token": token})
            return self.get(experiment_id)

    def search(self, query: ExperimentQuery) -> Page[Experiment]:
        """Return a page of the experiments that fit."""
        shown = [each for each in self.shown().values() if query.view.shows(each.lifecycle_stage)]
        found = [each for each in shown if experiment_matches(query.filter, each)]
        return page_of(sort_experiments(found, query.order_by), query.max_results, query.page_token)

    def _create(
        self,
        experiment_id: str,
        name: str,
        location: str | None,
        tags: dict[str, str],
        more: Mapping[str, object] | None = None,
    ) -> Experiment:
        root = self._place.artifact_root
        place = location or (join(root, experiment_id) if root else None)

        def check() -> None:
            self._refuse_taken(name, is_new_default=experiment_id == DEFAULT)

        with (
            self._place.lock,
            self._claims.taken(name, experiment_id, check, self._is_recorded) as token,
        ):
            data = {"token": token, "name": name, "location": place, "tags": tags, **(more or {})}
            self._note(experiment_id, CREATED, data)
        return self.get(experiment_id)

    def _adopted(self, given: Experiment) -> Experiment | None:
        """Return an experiment of another store that was taken over. Raises AlreadyExistsError: another has its id."""
        known = self.state(given.experiment_id)
        is_default = given.experiment_id == DEFAULT
        if known is None:
            return None
        if given.name in known.names and (known.times is not None or not is_default):
            return self.get(given.experiment_id)
        if not is_default:
            raise AlreadyExistsError(f"experiment id '{given.experiment_id}' is that of {known.name[1]!r}")
        return None

    def _complete_default(self, given: Experiment) -> Experiment:
        """Give the experiment that every store has what another store's has."""
        known = self.state(given.experiment_id)
        tags = {key: value for key, value in given.tags.items() if known is None or key not in known.shown_tags()}
        if tags:
            self._note(given.experiment_id, CHANGED, {"tags": tags})
        return self.get(given.experiment_id)

    def _note(self, experiment_id: str, name: str, data: Mapping[str, object]) -> None:
        self._place.note(self._place.layout.experiment(experiment_id), experiment_id, name, data)

    def _is_other(self, experiment_id: str, name: str) -> bool:
        """Whether the id is that of an experiment that never had the name, or has another one now."""
        state = self.state(experiment_id)
        return state is not None and state.name[1] != name

    def _is_recorded(self, claim: Claim) -> bool:
        state = self.state(claim.subject)
        return state is not None and claim.token in state.tokens

    def _refuse_taken(self, name: str, *, is_new_default: bool = False) -> None:
        if is_new_default and self.state(DEFAULT) is None:
            return
        found = self.by_name(name)
        if found is not None:
            hint = " and is deleted: restore it, or" if found.lifecycle_stage is LifecycleStage.DELETED else ":"
            raise AlreadyExistsError(f"experiment {name!r} already exists{hint} choose another name")

    def _check(self, old: Experiment, change: ExperimentChange) -> None:
        if change.lifecycle_stage == old.lifecycle_stage:
            raise NotFoundError(f"experiment '{old.experiment_id}' is '{old.lifecycle_stage}' already")
        if change.lifecycle_stage is None and old.lifecycle_stage is LifecycleStage.DELETED:
            raise deleted(f"experiment '{old.experiment_id}'")
        if change.name is not None and change.name != old.name:
            self._refuse_taken(change.name)
        for key in change.delete_tags:
            if key not in old.tags:
                raise NotFoundError(f"no tag {key!r} in experiment '{old.experiment_id}'")

    def _read(self, folder: Path) -> ExperimentState | None:
        tail, state = self._known.get(folder) or (Tail(folder, self._place.faults), ExperimentState())
        try:
            state.take(tail.news())
        except (FileNotFoundError, NotADirectoryError):
            self._known.pop(folder, None)
            return None
        if not tail.journals or not state.name[1]:
            return None
        self._known[folder] = (tail, state)
        self._place.clock.seen(state.greatest_at)
        return state


def deleted(what: str) -> InvalidStateError:
    """Return the error for what is in the bin."""
    return InvalidStateError(f"{what} must be in the 'active' state, it is 'deleted': restore it first")
