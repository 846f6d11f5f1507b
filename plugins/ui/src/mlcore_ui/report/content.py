"""What a report tells of runs: a table, charts, and of a single run everything that it has."""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from mlcore.entities import Experiment, Metric, Run
from mlcore.tracking.client import Client
from mlcore_ui.report.drawing import chart, colors_of, number

_MOST_CHARTS, _MOST_KEYS = 60, 100
_IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".webp")
_LARGEST_IMAGE = 2 * 2**20
_MOST_IMAGES = 24
_OWN = ("mlflow.", "mlcore.")
_NOTE = "mlflow.note.content"


def experiment_body(client: Client, experiment: Experiment, runs: Sequence[Run], filter_text: str) -> str:
    """Return the report of an experiment: how its runs differ, and their curves."""
    said = f" that fit <code>{escape(filter_text)}</code>" if filter_text else ""
    note = experiment.tags.get(_NOTE, "")
    parts = [
        f"<h1>{escape(experiment.name)}</h1>",
        f'<p class="muted">{len(runs)} {"run" if len(runs) == 1 else "runs"}{said}</p>',
        f"<pre>{escape(note)}</pre>" if note else "",
        _table(runs),
        _charts(client, runs),
    ]
    return "\n".join(part for part in parts if part)


def run_body(client: Client, run: Run, *, images: bool) -> str:
    """Return the report of one run. images: whether to put its pictures in."""
    info, tags = run.info, run.data.tags
    facts = [
        ("Run", info.run_id),
        ("Status", info.status.value.lower()),
        ("Started", _moment(info.start_time)),
        ("Ended", _moment(info.end_time)),
        ("User", info.user_id),
        ("Source", tags.get("mlflow.source.name", "")),
        ("Commit", tags.get("mlflow.source.git.commit", "")),
    ]
    latest = [(m.key, number(m.value), str(m.step)) for m in sorted(run.data.latest, key=_key)]
    own = [(key, value) for key, value in sorted(tags.items()) if not key.startswith(_OWN)]
    note = tags.get(_NOTE, "")
    parts = [
        f"<h1>{escape(info.run_name or info.run_id)}</h1>",
        _rows((name, value) for name, value in facts if value),
        f"<h2>Notes</h2><pre>{escape(note)}</pre>" if note else "",
        _section("Parameters", ("name", "value"), sorted(run.data.params.items())),
        _section("Metrics", ("name", "last", "at step"), latest),
        _charts(client, [run]),
        _section("Tags", ("name", "value"), own),
        _images(client, run) if images else "",
    ]
    return "\n".join(part for part in parts if part)


def _table(runs: Sequence[Run]) -> str:
    """Return the table of runs: status, what varies among their parameters, the last values of their metrics."""
    params = _varying([run.data.params for run in runs])
    metrics = sorted({key for run in runs for key in run.data.metrics})[:_MOST_KEYS]
    names = ["run", "status", "started", *params, *metrics]
    head = "".join(f'<th scope="col"><button>{escape(name)}</button></th>' for name in names)
    colors = colors_of(run.info.run_id for run in runs)
    body = "".join(_row(run, colors[run.info.run_id], params, metrics) for run in runs)
    return f'<div class="scroll"><table class="runs"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _row(run: Run, ink: str, params: Sequence[str], metrics: Sequence[str]) -> str:
    info = run.info
    bad = ' class="bad"' if info.status.value in ("FAILED", "KILLED") else ""
    cells = [
        f'<td><svg class="dot" viewBox="0 0 10 10" aria-hidden="true"><circle cx="5" cy="5" r="5" fill="{ink}"/></svg>'
        f"{escape(info.run_name or info.run_id)}</td>",
        f"<td{bad}>{info.status.value.lower()}</td>",
        f'<td data-value="{info.start_time or 0}">{_moment(info.start_time)}</td>',
        *(f"<td>{escape(run.data.params.get(key, ''))}</td>" for key in params),
        *(_number_cell(run.data.metrics.get(key)) for key in metrics),
    ]
    return f'<tr data-run="{escape(info.run_id)}">{"".join(cells)}</tr>'


def _number_cell(value: float | None) -> str:
    return "<td></td>" if value is None else f'<td class="number" data-value="{value!r}">{number(value)}</td>'


def _varying(maps: Sequence[Mapping[str, str]]) -> list[str]:
    keys = sorted({key for one in maps for key in one})
    varying = [key for key in keys if len({one.get(key) for one in maps}) > 1]
    return (varying or keys)[:_MOST_KEYS]


def _charts(client: Client, runs: Sequence[Run]) -> str:
    """Return the charts of the metrics that have more than one point in any run."""
    ids = [run.info.run_id for run in runs]
    keys = sorted({key for run in runs for key in run.data.metrics})[:_MOST_KEYS]
    if not ids or not keys:
        return ""
    colors = colors_of(ids)
    found = client.get_metric_series(ids, keys, 400)
    drawn = []
    for key in keys:
        curves = [one for one in found if one.key == key and one.points]
        if any(one.count > 1 for one in curves):
            drawn.append(chart(key, curves, colors))
    left = (
        f'<p class="muted">{len(drawn) - _MOST_CHARTS} more metrics are not drawn</p>'
        if len(drawn) > _MOST_CHARTS
        else ""
    )
    return f'<h2>Curves</h2><div class="charts">{"".join(drawn[:_MOST_CHARTS])}</div>{left}' if drawn else ""


def _images(client: Client, run: Run) -> str:
    """Return the pictures among the run's artifacts, each in the file itself."""
    shown = []
    for path in _picture_paths(client, run.info.run_id):
        local = Path(client.download_artifacts(run.info.run_id, path))
        kind = mimetypes.guess_type(path)[0] or "image/png"
        data = base64.b64encode(local.read_bytes()).decode()
        shown.append(
            f'<figure><img alt="{escape(path)}" src="data:{kind};base64,{data}"><figcaption>{escape(path)}</figcaption></figure>'
        )
    return f'<h2>Pictures</h2><div class="images">{"".join(shown)}</div>' if shown else ""


def _picture_paths(client: Client, run_id: str) -> list[str]:
    found: list[str] = []
    waiting = [""]
    while waiting and len(found) < _MOST_IMAGES:
        for entry in client.list_artifacts(run_id, waiting.pop(0)):
            if entry.is_dir:
                waiting.append(entry.path)
            elif entry.path.lower().endswith(_IMAGES) and (entry.file_size or 0) <= _LARGEST_IMAGE:
                found.append(entry.path)
    return found[:_MOST_IMAGES]


def _section(title: str, names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    body = _rows(rows)
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    return f"<h2>{title}</h2>{body.replace('<tbody>', f'<thead><tr>{head}</tr></thead><tbody>', 1)}" if body else ""


def _rows(rows: Iterable[Sequence[str]]) -> str:
    text = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in row[1:])}</tr>'
        for row in rows
    )
    return f'<div class="scroll"><table><tbody>{text}</tbody></table></div>' if text else ""


def _moment(ms: int | None) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC" if ms else ""


def _key(point: Metric) -> str:
    return point.key
