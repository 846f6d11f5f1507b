"""Which run of the target is which run of the source, also where a server chose other ids."""

from __future__ import annotations

import threading

from attrs import evolve

from mlcore.entities import Comparison, Field, NewRun, OrderBy, Run, RunData, RunQuery, ViewType
from mlcore.errors import AlreadyExistsError, NotFoundError
from mlcore.interfaces import ChoosesRunIds
from mlcore.moving.sides import Job
from mlcore.tracking import tags as names

_CLIENT_ID = Field("tag", names.CLIENT_RUN_ID)
_PAGE = 1000


class RunIds:
    """Finds the counterparts of runs, and makes them.

    Plain MLflow servers choose the ids of runs; the id at the source stays with the run as the tag
    `mlcore.clientRunId`, by which it is found again. Where ids are kept, nothing has to be remembered.
    """

    def __init__(self, job: Job) -> None:
        """Know nothing yet."""
        self._job = job
        self._others: dict[str, str] = {}
        self._loaded: set[str] = set()
        self._keeps_ids: bool | None = None
        self._lock = threading.Lock()

    def load(self, experiment_id: str) -> None:
        """Learn which runs of the target's experiment carry the id that they have at the source as a tag."""
        if experiment_id in self._loaded:
            return
        self._loaded.add(experiment_id)
        if isinstance(self._job.target.store, ChoosesRunIds):
            return  # which is asked for each run, see `find`
        query = RunQuery(
            (experiment_id,),
            Comparison(_CLIENT_ID, "!=", ""),
            (OrderBy(Field("attribute", "start_time")),),
            ViewType.ALL,
            _PAGE,
            None,
            (_CLIENT_ID,),
        )
        while True:
            page = self._job.target.store.search_runs(query)
            for run in page.items:
                self._others.setdefault(run.data.tags[names.CLIENT_RUN_ID], run.info.run_id)
            if page.next_token is None:
                return
            query = evolve(query, page_token=page.next_token)

    def find(self, run_id: str, client_id: str | None = None, experiment_id: str | None = None) -> Run | None:
        """Return the counterpart of a run of the source; None when there is none.

        client_id: the id that the run had before it came to the source, if it has one as a tag.
        experiment_id: that of the target in which it would be.
        """
        store = self._job.target.store
        if isinstance(store, ChoosesRunIds) and experiment_id in self._loaded and run_id not in self._others:
            for asked in filter(None, (run_id, client_id)):
                made = store.created_as(str(experiment_id), asked)
                if made is not None:
                    self._others[run_id] = made.info.run_id
                    return made
        for each in dict.fromkeys((self._others.get(run_id), run_id, self._others.get(client_id or ""), client_id)):
            if each:
                try:
                    return store.get_run(each)
                except NotFoundError:
                    continue
        return None

    def known(self, run_id: str) -> str:
        """Return the id in the target, as far as it is known that it differs; the same id otherwise."""
        return self._others.get(run_id, run_id)

    @property
    def differ(self) -> bool:
        """Whether some run has another id in the target."""
        return bool(self._others) or self._keeps_ids is False

    def make(self, source: Run, experiment_id: str) -> Run:
        """Create the counterpart, RUNNING and empty."""
        if self._job.choice.dry_run:
            self._job.write(_nothing)
            info = evolve(source.info, experiment_id=experiment_id, artifact_uri="", end_time=None)
            return Run(info, RunData(tags={names.RUN_NAME: name_of(source)}))
        with self._lock:
            first = self._keeps_ids is None
            if first:
                return self._make(source, experiment_id)
        return self._make(source, experiment_id)

    def _make(self, source: Run, experiment_id: str) -> Run:
        """Create the run; the first one shows whether the target keeps the id, so it is marked to be found again."""
        wanted, store = source.info.run_id, self._job.target.store
        marked = {} if self._keeps_ids else {names.CLIENT_RUN_ID: client_id(source) or wanted}
        new = NewRun(
            experiment_id=experiment_id,
            run_id=wanted,
            run_name=name_of(source),
            user_id=source.info.user_id,
            start_time=source.info.start_time,
            tags={**marked, names.RUN_NAME: name_of(source)} if name_of(source) else marked,
        )
        try:
            made = store.create_run(new)
            self._job.tally.add(writes=1)
        except AlreadyExistsError:
            made = store.get_run(wanted)  # somebody else was first, in another experiment
        got = made.info.run_id
        self._keeps_ids = got == wanted
        if got != wanted:
            self._others[wanted] = got
            self._job.tally.renumber("run", name_of(source), wanted, got)
            return made
        if marked and client_id(source) is None and made.data.tags.get(names.CLIENT_RUN_ID) == wanted:
            self._job.write(lambda: store.delete_tag(got, names.CLIENT_RUN_ID))
            kept = {key: value for key, value in made.data.tags.items() if key != names.CLIENT_RUN_ID}
            made = evolve(made, data=evolve(made.data, tags=kept))
        return made


def client_id(run: Run) -> str | None:
    """Return the id that a run had before a server chose another one."""
    return run.data.tags.get(names.CLIENT_RUN_ID) or None


def name_of(run: Run) -> str:
    """Return a run's name; the first releases of MLflow have it in a tag only."""
    return run.info.run_name or run.data.tags.get(names.RUN_NAME, "")


def _nothing() -> None:
    """What a dry run does."""
