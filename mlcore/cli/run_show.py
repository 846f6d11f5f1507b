"""`mlcore runs show`: everything recorded about one run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import click

from mlcore.cli import find, values
from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.plot import spark
from mlcore.cli.tables import Column, Kind, fields
from mlcore.cli.terminal import visible
from mlcore.entities import MetricSummary, Run
from mlcore.errors import StoreUnavailableError

_SPARKS = 40  # curves that are fetched for a picture beside their numbers
_OWN_TAGS = ("mlflow.", "mlcore.")

Field = tuple[str, object, Kind]


@click.command()
@find.run_argument
@json_option
@pass_cli
def show(cli: Cli, word: str, as_json: bool) -> None:
    """Show a run: info, params, metrics with last, min and max, tags, and the data that it read."""
    run = find.run(cli.client, word)
    summaries = cli.client.get_metric_summaries(run.info.run_id)
    if as_json:
        cli.print_json([{**run.to_dictionary(), "state": run.state, "metric_summaries": list(summaries)}])
    elif cli.terminal.is_tty:
        _for_people(cli, run, summaries)
    else:
        for line in _plain(run, summaries):
            click.echo(line)


def _for_people(cli: Cli, run: Run, summaries: Sequence[MetricSummary]) -> None:
    cli.terminal.echo(cli.terminal.style(visible(run.info.run_name), bold=True))
    _print_fields(cli, [("experiment", _experiment(cli, run), "text"), *_info(run)])
    if run.data.params:
        cli.print_title("params")
        _print_fields(cli, [(key, value, "text") for key, value in sorted(run.data.params.items())])
    if summaries:
        cli.print_title("metrics")
        _print_metrics(cli, run, summaries)
    missing, told_by = _missing(run)
    if missing:
        cli.print_title("not in the store")
        _print_fields(cli, missing)
    own = {k: v for k, v in run.data.tags.items() if not k.startswith(_OWN_TAGS)}
    system = {k: v for k, v in run.data.tags.items() if k not in own and k not in told_by}
    for title, tags in (("tags", own), ("system tags", system)):
        if tags:
            cli.print_title(title)
            _print_fields(cli, [(key, value, "text") for key, value in sorted(tags.items())])
    if run.inputs.dataset_inputs:
        cli.print_title("data")
        columns = [Column("name"), Column("digest", whole=True), Column("source_type"), Column("context")]
        cli.print_table(columns, list(_inputs(run)))


def _print_metrics(cli: Cli, run: Run, summaries: Sequence[MetricSummary]) -> None:
    curves = [s for s in summaries if s.count > 1][:_SPARKS]
    columns = [Column("metric"), *(Column(name, "number") for name in ("last", "min", "max", "step", "points"))]
    drawn = {}
    if curves:
        columns.append(Column("curve"))
        for each in curves:
            points = sorted(cli.client.get_metric_history(run.info.run_id, each.key), key=lambda p: p.step)
            drawn[each.key] = spark([p.value for p in points])
    rows = [
        [s.key, s.last.value, s.min, s.max, s.last.step, s.count, *([drawn.get(s.key, "")] if curves else [])]
        for s in summaries
    ]
    cli.print_table(columns, rows)


def _print_fields(cli: Cli, found: Sequence[Field]) -> None:
    for line in fields(found, cli.terminal):
        cli.terminal.echo(line)


def _missing(run: Run) -> tuple[list[Field], set[str]]:
    """Return what was refused or lost, as the run's tags tell it, and which tags these are."""
    found: list[Field] = []
    told_by: set[str] = set()
    for key, what in (("mlcore.refused", "refused"), ("mlcore.dropped", "lost")):
        try:
            said = json.loads(run.data.tags[key])
            last: list[Field] = [(str(each["what"]), str(each["message"]), "text") for each in said.get("last", ())]
            count = int(said["count"])
        except (KeyError, TypeError, ValueError, AttributeError):
            continue  # not there, or somebody else's: shown as it is
        found += last
        if count > len(last):
            found.append((what, f"{count - len(last)}{' more' if last else ''} records", "text"))
        told_by.add(key)
    return found, told_by


def _plain(run: Run, summaries: Sequence[MetricSummary]) -> Iterator[str]:
    """Return one line a fact: section, key and value between tabs; metrics have last, min, max and count."""
    facts: list[tuple[object, ...]] = [
        *(("info", key, _exact(value, kind)) for key, value, kind in _info(run)),
        *(("param", key, value) for key, value in sorted(run.data.params.items())),
        *(("metric", s.key, s.last.value, s.min, s.max, s.count) for s in summaries),
        *(("tag", key, value) for key, value in sorted(run.data.tags.items())),
        *(("data", *row) for row in _inputs(run)),
    ]
    for fact in facts:
        yield "\t".join(visible(values.exact(part)) for part in fact)


def _exact(value: object, kind: Kind) -> object:
    return values.iso(value) if kind == "time" and isinstance(value, int) else value


def _info(run: Run) -> list[Field]:
    info = run.info
    took = None if info.end_time is None else info.end_time - info.start_time
    return [
        ("run_id", info.run_id, "id"),
        ("run_name", info.run_name, "text"),
        ("experiment_id", info.experiment_id, "text"),
        ("status", str(run.state), "status"),
        ("user_id", info.user_id, "text"),
        ("start_time", info.start_time, "time"),
        ("end_time", info.end_time, "time"),
        ("duration", took, "span"),
        ("artifact_uri", info.artifact_uri, "text"),
        ("lifecycle_stage", str(info.lifecycle_stage), "status"),
    ]


def _experiment(cli: Cli, run: Run) -> str:
    try:
        return cli.client.get_experiment(run.info.experiment_id).name
    except StoreUnavailableError:  # the run waits in the spool
        return run.info.experiment_id


def _inputs(run: Run) -> Iterator[list[object]]:
    for used in run.inputs.dataset_inputs:
        context = ", ".join(tag.value for tag in used.tags if tag.key == "mlflow.data.context")
        data = used.dataset
        yield [data.name, data.digest, data.source_type, context]
