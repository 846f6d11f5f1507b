"""Where the files of a model version are, seen from the target, once the artifacts of runs have moved there."""

from __future__ import annotations

import re

from attrs import define, field

from mlcore.entities import LoggedModel, ModelVersion, Run
from mlcore.errors import InvalidParameterError, NotFoundError
from mlcore.interfaces import SupportsLoggedModels, TrackingStore
from mlcore.moving.ids import RunIds, client_id
from mlcore.moving.sides import Job
from mlcore.uris import absolute, scheme

_LOGGED = re.compile(r"/(m-[0-9a-f]{32})(?:/|$)")
_RUNS = re.compile(r"^runs:/{1,3}([^/]+)(.*)$", re.DOTALL)


@define(eq=False)
class Origins:
    """Looks up the runs and logged models that model versions came from."""

    job: Job
    ids: RunIds
    experiment_ids: frozenset[str]
    _runs: dict[str, Run | None] = field(factory=dict, init=False)

    def is_chosen(self, version: ModelVersion) -> bool:
        """Whether the version was made by a run that is copied; of a whole store all are."""
        choice = self.job.choice
        if not choice.is_part:
            return True
        if choice.run_ids:
            return version.run_id in choice.run_ids
        run = self._run(version.run_id)
        return run is not None and run.info.experiment_id in self.experiment_ids

    def run_id(self, version: ModelVersion) -> str | None:
        """Return the id of the version's run in the target."""
        return self.ids.known(version.run_id) if version.run_id else version.run_id

    def moved(self, version: ModelVersion) -> str:
        """Return the version's source as the target has it; unchanged when it lies outside of what is copied."""
        source = version.source
        named = _RUNS.match(source)
        if named:
            return f"runs:/{self.ids.known(named[1])}{named[2]}"
        if scheme(source) == "models" or not self.job.choice.artifacts:
            return source
        for ours, theirs in (self._of_run(version), self._of_logged(source)):
            if ours and theirs:
                below = _rest(source, ours)
                if below is not None:
                    return theirs.rstrip("/") + below
        return source

    def _of_run(self, version: ModelVersion) -> tuple[str, str]:
        run = self._run(version.run_id)
        there = self.ids.find(run.info.run_id, client_id(run)) if run is not None else None
        return (run.info.artifact_uri, there.info.artifact_uri) if run and there else ("", "")

    def _of_logged(self, source: str) -> tuple[str, str]:
        found = _LOGGED.search(source)
        if found is None:
            return "", ""
        ours = _logged(self.job.source.store, found[1])
        theirs = _logged(self.job.target.store, found[1])
        return (ours.artifact_uri, theirs.artifact_uri) if ours and theirs else ("", "")

    def _run(self, run_id: str | None) -> Run | None:
        if not run_id:
            return None
        if run_id not in self._runs:
            if len(self._runs) > 1000:
                self._runs.clear()
            try:
                self._runs[run_id] = self.job.source.store.get_run(run_id)
            except (NotFoundError, InvalidParameterError):
                self._runs[run_id] = None
        return self._runs[run_id]


def _logged(store: TrackingStore, model_id: str) -> LoggedModel | None:
    if not isinstance(store, SupportsLoggedModels):
        return None
    try:
        return store.get_logged_model(model_id, allow_deleted=True)
    except NotFoundError:
        return None


def _rest(uri: str, root: str) -> str | None:
    """Return what follows *root* in *uri*, empty or from the slash on; None when it is not below."""
    for whole, base in ((uri, root.rstrip("/")), (absolute(uri), absolute(root))):
        if whole == base or whole.startswith(f"{base}/"):
            return whole[len(base) :].rstrip("/")
    return None
