"""Runs as rows: which columns a table of runs has, and what stands in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import click

from mlcore.cli import values
from mlcore.cli.tables import Column, Kind
from mlcore.entities import Run, ViewType
from mlcore.tracking.client import Client

_PAGE = 1000
_PREFIXES = ("metrics", "params", "tags")
_ATTRIBUTES: Mapping[str, Column] = {
    c.name: c
    for c in (
        Column("run_id", "id", "run"),
        Column("run_name", title="name"),
        Column("experiment_id", title="experiment"),
        Column("experiment_name", title="experiment"),
        Column("status", "status"),
        Column("start_time", "time", "started"),
        Column("end_time", "time", "ended"),
        Column("duration", "span", "took"),
        Column("user_id", title="user"),
        Column("lifecycle_stage", "status", "stage"),
        Column("artifact_uri"),
    )
}
_ALWAYS = ("run_id", "run_name", "status", "start_time", "duration")
_CSV = ("run_id", "experiment_id", "run_name", "status", "start_time", "end_time", "user_id", "artifact_uri")


def search(
    client: Client,
    experiment_ids: Sequence[str],
    text: str = "",
    order: Sequence[str] = (),
    view: ViewType | str = ViewType.ACTIVE_ONLY,
) -> Iterator[Run]:
    """Return all runs that fit, page by page."""
    token: str | None = None
    while experiment_ids:
        page = client.search_runs(list(experiment_ids), text, view, _PAGE, list(order), token)
        yield from page
        token = page.token
        if not token:
            return


def column(name: str) -> Column:
    """Return the column called *name*: an attribute, or `metrics.KEY`, `params.KEY`, `tags.KEY`."""
    if name in _ATTRIBUTES:
        return _ATTRIBUTES[name]
    entity, dot, key = name.partition(".")
    if dot and key and entity in _PREFIXES:
        kind: Kind = "number" if entity == "metrics" else "text"
        return Column(name, kind, key)
    known = ", ".join(_ATTRIBUTES)
    raise click.BadParameter(
        f"unknown column {name!r}: expected {known}, or metrics.KEY, params.KEY, tags.KEY", param_hint="'--columns'"
    )


def value(wanted: Column, run: Run, experiments: Mapping[str, str] | None = None) -> object:
    """Return what stands in a column for *run*; None when it has no such thing.

    experiments: names by id, for the column `experiment_name`.
    """
    entity, _, key = wanted.name.partition(".")
    if entity == "metrics":
        return run.data.metrics.get(key)
    if entity == "params":
        return run.data.params.get(key)
    if entity == "tags":
        return run.data.tags.get(key)
    if wanted.name == "experiment_name":
        return (experiments or {}).get(run.info.experiment_id, run.info.experiment_id)
    if wanted.name == "duration":
        return None if run.info.end_time is None else run.info.end_time - run.info.start_time
    if wanted.name == "status":
        return run.state
    found: object = getattr(run.info, wanted.name)
    return found


def csv_value(wanted: Column, run: Run) -> str:
    """Return the text of a CSV cell: times in ISO 8601, numbers in full, NaN as `NaN`."""
    found = value(wanted, run)
    if wanted.kind == "time" and isinstance(found, int):
        return values.iso(found)
    return values.exact(found)


def usual_columns(runs: Sequence[Run], mentioned: str, *, several_experiments: bool) -> list[Column]:
    """Return the columns that tell *runs* apart.

    mentioned: the filter and the order; what stands there comes first.
    """
    attributes = [_ATTRIBUTES[name] for name in _ALWAYS]
    if several_experiments:
        attributes.insert(2, _ATTRIBUTES["experiment_name"])
    params = [name for name in _keys(runs, "params") if _differs(column(name), runs)]
    own = sorted([*_keys(runs, "metrics"), *params], key=lambda name: not _is_in(name, mentioned))
    return _with_titles([*attributes, *map(column, own)])


def every_column(runs: Sequence[Run]) -> list[Column]:
    """Return attributes and all metrics, params and tags that any of *runs* has."""
    own = [name for prefix in _PREFIXES for name in _keys(runs, prefix)]
    return [*(_ATTRIBUTES[name] for name in _CSV), *map(column, own)]


def chosen_columns(names: Iterable[str]) -> list[Column]:
    """Return the columns of the option `--columns`: names separated by commas, and the option repeated."""
    return _with_titles([column(n.strip()) for text in names for n in text.split(",") if n.strip()])


def _with_titles(columns: Sequence[Column]) -> list[Column]:
    # the bare key is the title unless two columns would look the same
    titles = [c.title or c.name for c in columns]
    return [
        Column(c.name, c.kind, title if titles.count(title) == 1 else c.name, c.whole)
        for c, title in zip(columns, titles, strict=True)
    ]


def _keys(runs: Sequence[Run], prefix: str) -> list[str]:
    found: set[str] = set()
    for run in runs:
        found.update(getattr(run.data, prefix))
    return [f"{prefix}.{key}" for key in sorted(found)]


def _differs(wanted: Column, runs: Sequence[Run]) -> bool:
    return len(runs) == 1 or len({value(wanted, run) for run in runs}) > 1


def _is_in(name: str, mentioned: str) -> bool:
    return name.partition(".")[2] in mentioned
