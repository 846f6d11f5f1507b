"""`mlcore runs plot`: metric curves in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

import click

from mlcore.cli import find
from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.plot import Curve, Frame
from mlcore.cli.plot import plot as drawn
from mlcore.cli.terminal import PLAIN_WIDTH
from mlcore.entities import Metric, Run
from mlcore.errors import NotFoundError

_MOST_CURVES = 6
_LEAST_HEIGHT = 6


@click.command()
@click.argument("word", metavar="RUN")
@click.argument("metrics", metavar="[METRIC]...", nargs=-1)
@click.option("-w", "--with", "others", multiple=True, metavar="RUN", help="Draw this run's curves too; repeatable.")
@click.option("--x-axis", type=click.Choice(["step", "time"]), default="step", show_default=True, help="What x means.")
@click.option("--log", is_flag=True, help="Logarithmic y axis.")
@click.option("--height", type=click.IntRange(_LEAST_HEIGHT), default=18, show_default=True, help="Lines of the plot.")
@click.option("--width", type=click.IntRange(30), help="Columns of the plot; the terminal's by default.")
@json_option
@pass_cli
def plot(
    cli: Cli,
    word: str,
    metrics: tuple[str, ...],
    others: tuple[str, ...],
    x_axis: str,
    log: bool,
    height: int,
    width: int | None,
    as_json: bool,
) -> None:
    """Draw the curves of metrics of a run; without a metric, of the first one that has a curve.

    With --json: one point per line instead of a picture.
    """
    runs = [find.run(cli.client, each) for each in (word, *others)]
    keys = metrics or (_first_curve(cli, runs[0]),)
    found = [(run, key, _points(cli, run, key)) for run in runs for key in keys]
    if as_json:
        cli.print_json({"run_id": run.info.run_id, **_record(p)} for run, _, points in found for p in points)
        return
    curves = [_curve(run, key, points, x_axis, several_runs=len(runs) > 1) for run, key, points in found if points]
    for i in range(0, len(curves), _MOST_CURVES):
        frame = Frame(
            width or (cli.terminal.width if cli.terminal.is_tty else PLAIN_WIDTH),
            height,
            log,
            "step" if x_axis == "step" else "seconds since the run's start",
        )
        for line in drawn(curves[i : i + _MOST_CURVES], frame, cli.terminal):
            cli.terminal.echo(line)


def _first_curve(cli: Cli, run: Run) -> str:
    summaries = cli.client.get_metric_summaries(run.info.run_id)
    if not summaries:
        raise NotFoundError(f"run {run.info.run_name!r} has no metrics to draw")
    return next((s.key for s in summaries if s.count > 1), summaries[0].key)


def _points(cli: Cli, run: Run, key: str) -> list[Metric]:
    points = cli.client.get_metric_history(run.info.run_id, key)
    if not points:
        import difflib

        known = sorted(run.data.metrics)
        near = difflib.get_close_matches(key, known, n=1)
        hint = f", did you mean {near[0]!r}?" if near else f"; it has {', '.join(known) or 'none'}"
        raise NotFoundError(f"run {run.info.run_name!r} has no metric {key!r}{hint}")
    return points


def _curve(run: Run, key: str, points: Sequence[Metric], x_axis: str, *, several_runs: bool) -> Curve:
    ordered = sorted(points, key=lambda p: (p.step, p.timestamp) if x_axis == "step" else (p.timestamp, p.step))
    label = f"{run.info.run_name} {key}" if several_runs else key
    x = [p.step if x_axis == "step" else (p.timestamp - run.info.start_time) / 1000 for p in ordered]
    return Curve(label, x, [p.value for p in ordered])


def _record(point: Metric) -> dict[str, object]:
    return {"key": point.key, "step": point.step, "timestamp": point.timestamp, "value": point.value}
