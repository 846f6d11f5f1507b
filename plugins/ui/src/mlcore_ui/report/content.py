"""What a report tells of runs: a table, charts, and of a single run what was recorded of it.

Of a single run all params, tags and last values of metrics are in it, the first 60 curves and the first 24 pictures.
What is left out is told where it would stand, with how much it is.
"""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from mlcore.entities import Experiment, Metric, Run
from mlcore.tracking.client import Client
from mlcore_ui.report.drawing import chart, colors_of, number
from mlcore_ui.report.notes import notes

_MOST_CHARTS, _MOST_KEYS, _AT_ONCE = 60, 100, 50
_MOST_FOLDERS = 500
_IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".webp")
_LARGEST_IMAGE = 2 * 2**20
_MOST_IMAGES = 24
_OWN = ("mlflow.", "mlcore.")
_NOTE = "mlflow.note.content"


def experiment_body(
    client: Client, experiment: Experiment, runs: Sequence[Run], filter_text: str, total: int | None = None
) -> str:
    """Return the report of an experiment: how its runs differ, and their curves.

    total: how many runs there are, where *runs* are only the first of them.
    """
    said = f" that fit <code>{escape(filter_text)}</code>" if filter_text else ""
    note = experiment.tags.get(_NOTE, "")
    parts = [
        f"<h1>{escape(experiment.name)}</h1>",
        f'<p class="muted">{_counted(len(runs), total)}{said}</p>',
        f'<div class="note">{notes(note)}</div>' if note else "",
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
        f'<h2>Notes</h2><div class="note">{notes(note)}</div>' if note else "",
        _section("Parameters", ("name", "value"), sorted(run.data.params.items())),
        _section("Metrics", ("name", "last", "at step"), latest),
        _charts(client, [run]),
        _section("Tags", ("name", "value"), own),
        _images(client, run) if images else "",
    ]
    return "\n".join(part for part in parts if part)


def _table(runs: Sequence[Run]) -> str:
    """Return the table of runs: status, what varies among their parameters, the last values of their metrics."""
    all_params = _varying([run.data.params for run in runs])
    all_metrics = sorted({key for run in runs for key in run.data.metrics})
    params, metrics = all_params[:_MOST_KEYS], all_metrics[:_MOST_KEYS]
    names = ["run", "status", "started", *params, *metrics]
    head = "".join(f'<th scope="col"><button title="{escape(name)}">{escape(name)}</button></th>' for name in names)
    colors = colors_of(run.info.run_id for run in runs)
    body = "".join(_row(run, colors[run.info.run_id], params, metrics) for run in runs)
    left = _left(
        ("parameter", len(all_params) - len(params)),
        ("metric", len(all_metrics) - len(metrics)),
        where="not in the table",
    )
    table = f'<table class="runs"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="scroll" tabindex="0" role="region" aria-label="Runs">{table}</div>{left}'


def _counted(shown: int, total: int | None) -> str:
    if total is not None and total > shown:
        return f"the first {shown:,} of {total:,} runs"
    return f"{shown:,} {'run' if shown == 1 else 'runs'}"


def _left(*kinds: tuple[str, int], where: str) -> str:
    """Tell what is left out, and how much it is; nothing when all is there."""
    parts = [
        f"{many:,} {kind}" if kind.startswith("larger") else f"{many:,} more {kind}{'' if many == 1 else 's'}"
        for kind, many in kinds
        if many > 0
    ]
    one = sum(many for _, many in kinds if many > 0) == 1
    return f'<p class="muted left">{" and ".join(parts)} {"is" if one else "are"} {where}.</p>' if parts else ""


def _row(run: Run, ink: str, params: Sequence[str], metrics: Sequence[str]) -> str:
    info = run.info
    bad = ' class="bad"' if info.status.value in ("FAILED", "KILLED") else ""
    cells = [
        f'<td><svg class="dot" viewBox="0 0 10 10" aria-hidden="true"><circle cx="5" cy="5" r="5" fill="{ink}"/></svg>'
        f'<span class="name" title="{escape(info.run_name or "")} {escape(info.run_id)}">'
        f"{escape(info.run_name or info.run_id)}</span></td>",
        f"<td{bad}>{info.status.value.lower()}</td>",
        f'<td class="time" data-value="{info.start_time or 0}">{_moment(info.start_time)}</td>',
        *(_text_cell(run.data.params.get(key)) for key in params),
        *(_number_cell(run.data.metrics.get(key)) for key in metrics),
    ]
    return f'<tr data-run="{escape(info.run_id)}">{"".join(cells)}</tr>'


def _text_cell(value: str | None) -> str:
    if value is None:
        return "<td></td>"
    return f'<td><span class="text" title="{escape(value)}">{escape(value)}</span></td>'


def _number_cell(value: float | None) -> str:
    return "<td></td>" if value is None else f'<td class="number" data-value="{value!r}">{number(value)}</td>'


def _varying(maps: Sequence[Mapping[str, str]]) -> list[str]:
    keys = sorted({key for one in maps for key in one})
    varying = [key for key in keys if len({one.get(key) for one in maps}) > 1]
    return varying or keys


def _charts(client: Client, runs: Sequence[Run]) -> str:
    """Return the charts of the metrics that have more than one point in any run."""
    ids = [run.info.run_id for run in runs]
    keys = sorted({key for run in runs for key in run.data.metrics})
    colors = colors_of(ids)
    drawn: list[str] = []
    seen = 0
    while seen < len(keys) and len(drawn) <= _MOST_CHARTS:
        asked = keys[seen : seen + _AT_ONCE]
        found = client.get_metric_series(ids, asked, 400)
        seen += len(asked)
        for key in asked:
            curves = [one for one in found if one.key == key and one.points]
            if any(one.count > 1 for one in curves):
                drawn.append(chart(key, curves, colors))
    left = _left(("metric", len(drawn[_MOST_CHARTS:]) + len(keys) - seen), where="not drawn")
    return f'<h2>Curves</h2><div class="charts">{"".join(drawn[:_MOST_CHARTS])}</div>{left}' if drawn else ""


def _images(client: Client, run: Run) -> str:
    """Return the pictures among the run's artifacts, each in the file itself."""
    shown = []
    found, large, unseen = _picture_paths(client, run.info.run_id)
    for path in found[:_MOST_IMAGES]:
        local = Path(client.download_artifacts(run.info.run_id, path))
        kind = mimetypes.guess_type(path)[0] or "image/png"
        data = base64.b64encode(local.read_bytes()).decode()
        shown.append(
            f'<figure><img alt="{escape(path)}" src="data:{kind};base64,{data}"><figcaption>{escape(path)}</figcaption></figure>'
        )
    left = _left(
        ("picture", len(found) - len(shown)),
        (f"larger than {_LARGEST_IMAGE >> 20} MB", large),
        where="not in this file",
    )
    if unseen:
        left += f'<p class="muted left">{unseen:,} more folders of artifacts were not looked into.</p>'
    return f'<h2>Pictures</h2><div class="images">{"".join(shown)}</div>{left}' if shown or left else ""


def _picture_paths(client: Client, run_id: str) -> tuple[list[str], int, int]:
    """Return the pictures among the artifacts, how many are too large, and how many folders were not looked into."""
    found: list[str] = []
    large = looked = 0
    waiting = [""]
    while waiting and looked < _MOST_FOLDERS:
        looked += 1
        for entry in client.list_artifacts(run_id, waiting.pop(0)):
            if entry.is_dir:
                waiting.append(entry.path)
            elif entry.path.lower().endswith(_IMAGES):
                if (entry.file_size or 0) > _LARGEST_IMAGE:
                    large += 1
                else:
                    found.append(entry.path)
    return found, large, len(waiting)


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
