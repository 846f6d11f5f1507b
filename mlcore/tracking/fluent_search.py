"""The fluent API on experiments, searches and stored runs, with MLflow's names and signatures."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Literal, overload

from mlcore.entities import Experiment, Run, RunStatus, ViewType
from mlcore.errors import InvalidParameterError, NotFoundError
from mlcore.tracking.client import Client, experiment_ids_of
from mlcore.tracking.experiments import active_experiment_id, usable_experiment
from mlcore.tracking.frames import runs_frame
from mlcore.tracking.offline import experiment_called
from mlcore.tracking.session import current_session
from mlcore.tracking.tables import all_pages, read_tables
from mlcore.wire import limits

if TYPE_CHECKING:
    import pandas as pd


def set_tracking_uri(uri: str | PathLike[str]) -> None:
    """Use the store at *uri* from now on, in every thread; an empty text goes back to the settings."""
    current_session().set_tracking_uri(uri)


def get_tracking_uri() -> str:
    """Return the URI of the store that fluent calls use."""
    return current_session().tracking_uri


def is_tracking_uri_set() -> bool:
    """Whether somebody chose the tracking URI, by call or by setting."""
    return current_session().is_tracking_uri_set


def set_registry_uri(uri: str) -> None:
    """Use the model registry at *uri* from now on; an empty text goes back to the settings."""
    current_session().set_registry_uri(uri)


def get_registry_uri() -> str:
    """Return the URI of the model registry."""
    return current_session().registry_uri


def set_experiment(experiment_name: str | None = None, experiment_id: str | None = None) -> Experiment:
    """Choose the experiment of new runs, by name (made when it is not there) or by id; return it.

    Raises InvalidStateError: it is deleted.
    """
    if (experiment_name is None) == (experiment_id is None):
        raise InvalidParameterError(
            f"set_experiment takes either a name or an id, got experiment_name={experiment_name!r} and "
            f"experiment_id={experiment_id!r}"
        )
    session = current_session()
    if experiment_name is not None:
        found = experiment_called(session, limits.check_experiment_name(experiment_name))
    else:
        found = usable_experiment(session, limits.check_experiment_id(str(experiment_id)))
    session.set_experiment(found)
    return found


def create_experiment(
    name: str, artifact_location: str | PathLike[str] | None = None, tags: Mapping[str, object] | None = None
) -> str:
    """Create an experiment and return its id. Raises AlreadyExistsError: the name is taken."""
    return Client().create_experiment(name, artifact_location, tags)


def get_experiment(experiment_id: str) -> Experiment:
    """Return an experiment, deleted or not."""
    return Client().get_experiment(experiment_id)


def get_experiment_by_name(name: str) -> Experiment | None:
    """Return the experiment called *name*, deleted or not; None when there is none."""
    return Client().get_experiment_by_name(name)


def rename_experiment(experiment_id: str, new_name: str) -> None:
    """Give an active experiment another name."""
    Client().rename_experiment(experiment_id, new_name)


def delete_experiment(experiment_id: str) -> None:
    """Move an experiment and its runs to the bin; its name stays taken."""
    Client().delete_experiment(experiment_id)


def restore_experiment(experiment_id: str) -> None:
    """Take an experiment and its runs out of the bin."""
    Client().restore_experiment(experiment_id)


def set_experiment_tag(key: str, value: object) -> None:
    """Set a tag of the active experiment."""
    Client().set_experiment_tag(active_experiment_id(current_session()), key, value)


def set_experiment_tags(tags: Mapping[str, object]) -> None:
    """Set tags of the active experiment."""
    Client().set_experiment_tags(active_experiment_id(current_session()), tags)


def delete_experiment_tag(key: str) -> None:
    """Remove a tag of the active experiment."""
    Client().delete_experiment_tag(active_experiment_id(current_session()), key)


def search_experiments(
    view_type: ViewType | str = ViewType.ACTIVE_ONLY,
    max_results: int | None = None,
    filter_string: str | None = None,
    order_by: Sequence[str] | None = None,
) -> list[Experiment]:
    """Return all experiments that fit, over all pages; at most *max_results*."""
    client = Client()
    return all_pages(
        lambda size, token: client.search_experiments(view_type, size, filter_string, order_by, token), max_results
    )


def get_run(run_id: str) -> Run:
    """Return a run with all that is recorded so far."""
    return Client().get_run(run_id)


def get_parent_run(run_id: str) -> Run | None:
    """Return the run in which a run is nested; None when it is in none."""
    return Client().get_parent_run(run_id)


def delete_run(run_id: str) -> None:
    """Move a run to the bin."""
    Client().delete_run(run_id)


def restore_run(run_id: str) -> None:
    """Take a run out of the bin."""
    Client().restore_run(run_id)


def rename_run(run_id: str, new_name: str) -> None:
    """Give a run another name."""
    Client().update_run(run_id, name=new_name)


def set_terminated(run_id: str, status: RunStatus | str | None = None, end_time: int | None = None) -> None:
    """End a run by id, FINISHED unless said otherwise."""
    Client().set_terminated(run_id, status, end_time)


@overload
def search_runs(
    experiment_ids: Iterable[str] | None = ...,
    filter_string: str = ...,
    run_view_type: ViewType | str = ...,
    max_results: int = ...,
    order_by: Sequence[str] | None = ...,
    output_format: Literal["pandas"] | None = ...,
    search_all_experiments: bool = ...,
    experiment_names: Iterable[str] | None = ...,
) -> pd.DataFrame: ...


@overload
def search_runs(
    experiment_ids: Iterable[str] | None = ...,
    filter_string: str = ...,
    run_view_type: ViewType | str = ...,
    max_results: int = ...,
    order_by: Sequence[str] | None = ...,
    *,
    output_format: Literal["list"],
    search_all_experiments: bool = ...,
    experiment_names: Iterable[str] | None = ...,
) -> list[Run]: ...


def search_runs(
    experiment_ids: Iterable[str] | None = None,
    filter_string: str = "",
    run_view_type: ViewType | str = ViewType.ACTIVE_ONLY,
    max_results: int = 100_000,
    order_by: Sequence[str] | None = None,
    output_format: str | None = None,
    search_all_experiments: bool = False,
    experiment_names: Iterable[str] | None = None,
) -> pd.DataFrame | list[Run]:
    """Return all runs that fit, over all pages; at most *max_results*. See docs/search.md for the language.

    experiment_ids, experiment_names: where to search; the active experiment when neither is given.
    output_format: `pandas` for a frame (see `frames.runs_frame`), `list` for runs; not given, a frame when pandas is
    installed and a list otherwise.
    """
    if output_format not in (None, "pandas", "list"):
        raise InvalidParameterError(f"invalid output_format {output_format!r}: expected 'pandas' or 'list'")
    client = Client()
    ids = _experiments(client, experiment_ids, experiment_names, search_all_experiments)
    found = all_pages(
        lambda size, token: client.search_runs(ids, filter_string, run_view_type, size, order_by, token), max_results
    )
    as_list = output_format == "list" or (output_format is None and importlib.util.find_spec("pandas") is None)
    return found if as_list else runs_frame(found)


def load_table(
    artifact_file: str, run_ids: Sequence[str] | None = None, extra_columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Read a table from the runs that logged it, one after the other, as one frame.

    run_ids: which runs; all runs of the active experiment when not given.
    extra_columns: columns to add from the run, such as `run_id`, `status` or `tags.team`.
    Raises NotFoundError: none of the runs has the table.
    """
    client = Client()
    runs = client.get_runs(run_ids) if run_ids is not None else search_runs(output_format="list")
    return read_tables(current_session(), runs, artifact_file, extra_columns or ())


def _experiments(client: Client, ids: Iterable[str] | None, names: Iterable[str] | None, search_all: bool) -> list[str]:
    if ids is not None and names is not None:
        raise InvalidParameterError("search_runs takes either experiment_ids or experiment_names, got both")
    given = experiment_ids_of(ids) if ids is not None else []
    if given:
        return given
    wanted = [names] if isinstance(names, str) else list(names or ())
    if wanted:
        found = [(n, client.get_experiment_by_name(n)) for n in wanted]
        missing = [n for n, e in found if e is None]
        if missing:
            raise NotFoundError(f"no experiment is called {missing[0]!r}")
        return [e.experiment_id for _, e in found if e is not None]
    if search_all:
        return [e.experiment_id for e in search_experiments()]
    return [active_experiment_id(current_session())]
