"""The shapes of the answers to `requests_feeds`.

Fields with a default may be absent, and null where their type says so.
"""

from __future__ import annotations

from attrs import frozen

from mlcore.entities import LifecycleStage, RunStatus, Stat
from mlcore.wire.answers import Number


@frozen
class CurveShape:
    """A curve of a chart.

    count, first_x, last_x, last: of the points between the bounds.
    nan, infinity, minus_infinity: the positions on the grid, 0 for the first one, at which some point is not finite: as
    stretches from a first to a last position, both included. Absent when there is none.
    """

    run_id: str
    key: str
    count: int
    first_x: Number
    last_x: Number
    last: Number
    nan: tuple[tuple[int, int], ...] = ()
    infinity: tuple[tuple[int, int], ...] = ()
    minus_infinity: tuple[tuple[int, int], ...] = ()


@frozen
class SeriesOnGridAnswer:
    """Curves on one grid, where the caller accepts `application/json`; binary for others, with this as its head.

    x: the axis that was asked for; `metric` for one that is a metric.
    n: how long the grid and each column are. exact: whether the grid has the real places of the points.
    width: of a value in the binary columns, in bytes: 4, or 8 when float32 cannot hold some value.
    values: per curve and stat a column, null where nothing is; not in the binary head, as `grid`.
    """

    n: int
    stats: tuple[Stat, ...]
    x: str
    exact: bool
    series: tuple[CurveShape, ...]
    width: int = 4
    grid: tuple[Number, ...] = ()
    values: tuple[tuple[tuple[object, ...], ...], ...] = ()


@frozen
class ChangesAnswer:
    """What has changed; when nothing has, the answer is empty, with the status 204.

    more: whether there is more to be told already. running: how many active runs go on.
    """

    cursor: str
    running: int
    run_ids: tuple[str, ...] = ()
    more: bool = False


@frozen
class ExperimentWithCounts:
    """An experiment, with how much is in it.

    run_count, running: of active runs; of a deleted experiment, all the runs that it had. last_activity: ms since the epoch.
    """

    experiment_id: str
    name: str
    lifecycle_stage: LifecycleStage
    artifact_location: str
    tags: object
    run_count: int
    running: int
    creation_time: int | None = None
    last_update_time: int | None = None
    description: str | None = None
    last_activity: int | None = None


@frozen
class ExperimentsWithCounts:
    """A page of experiments."""

    experiments: tuple[ExperimentWithCounts, ...]
    next_page_token: str | None = None


@frozen
class FailedEdit:
    """A run that was not changed, and why."""

    run_id: str
    error_code: str
    message: str


@frozen
class EditedRuns:
    """What became of the runs."""

    done: tuple[str, ...]
    failed: tuple[FailedEdit, ...]


@frozen
class FoundExperiment:
    """An experiment that a search has found."""

    experiment_id: str
    name: str


@frozen
class FoundRun:
    """A run that a search has found."""

    run_id: str
    run_name: str
    experiment_id: str
    status: RunStatus


@frozen
class FoundModel:
    """A registered model that a search has found."""

    name: str


@frozen
class SearchAnswer:
    """What a search has found, of each kind the best first."""

    experiments: tuple[FoundExperiment, ...]
    runs: tuple[FoundRun, ...]
    models: tuple[FoundModel, ...]


@frozen
class ViewShape:
    """A named view. time: ms since the epoch."""

    view_id: str
    title: str
    query: str
    user: str
    time: int


@frozen
class ViewsAnswer:
    """The named views of an experiment, by title."""

    views: tuple[ViewShape, ...]


@frozen
class ViewSaved:
    """The id of a view."""

    view_id: str


@frozen
class UserShape:
    """Who calls."""

    name: str
    is_admin: bool


@frozen
class StoreShape:
    """A store: the scheme of its URI, and the protocols of `mlcore.interfaces` that it has besides the base one."""

    kind: str
    abilities: tuple[str, ...]


@frozen
class RightsShape:
    """What the caller may do with the server as a whole."""

    create_experiment: bool
    create_model: bool
    manage_server: bool


@frozen
class PluginShape:
    """An installed plugin."""

    name: str
    version: str


@frozen
class ManifestAnswer:
    """What a page has to know of the server before it offers anything.

    user: null where the server knows no users, as is `auth`.
    """

    version: str
    tracking: StoreShape
    registry: StoreShape
    can: RightsShape
    plugins: tuple[PluginShape, ...]
    user: UserShape | None = None
    auth: str | None = None


@frozen
class MayAnswer:
    """What the caller may do: of each id a list of `read`, `edit`, `manage`."""

    experiments: object
    models: object
