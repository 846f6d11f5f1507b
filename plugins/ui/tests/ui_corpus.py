"""A run with files of every kind, and one in which everything tries to run a script."""

from __future__ import annotations

import io
import json
import struct
import wave
import zlib
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from mlcore.entities import Dataset, DatasetInput, InputTag
from mlcore.testing.live_server import LiveServer
from mlcore.tracking.client import Client

SCRIPT = "<script>alert(1)</script>"
IMAGE = "<img src=x onerror=alert(1)>"
HOSTILE_NOTE = f"""# {IMAGE}

{SCRIPT} and [a link](javascript:alert(1)), <a href="javascript:alert(1)">another</a>,
![picture](javascript:alert(1)), [data](data:text/html,{SCRIPT})

<svg onload=alert(1)></svg>
"""
HOSTILE_HTML = """<!doctype html><title>report</title><h1 id="head">Report</h1><script>
alert('report');
const told = [];
for (const [name, reach] of [
  ['cookie', () => document.cookie], ['storage', () => localStorage.length], ['parent', () => { if (parent === window) throw 0; return parent.document.title; }],
]) { try { reach(); told.push(name); } catch { /* as it should be */ } }
document.getElementById('head').textContent = 'reached: ' + told.join(',');
</script><img src="x" onerror="alert(2)">"""
HOSTILE_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40" onload="alert(1)">'
    '<script>alert(1)</script><rect width="40" height="40" fill="teal"/></svg>'
)
HOSTILE_MODEL = f"""flavors:
  "{SCRIPT}":
    code: !!js/function "function () {{ alert(1); }}"
  python_function: {{loader_module: "{IMAGE}", python_version: 3.11.0}}
run_id: "{IMAGE}"
"""
MODEL = """flavors:
  python_function: {loader_module: mlcore.models.pyfunc, python_version: 3.11.9, env: {virtualenv: python_env.yaml}}
  sklearn: {pickled_model: model.skops, sklearn_version: 1.5.0}
signature:
  inputs: '[{"type": "double", "name": "length", "required": true}, {"type": "string", "name": "kind", "required": false}]'
  outputs: '[{"type": "long", "required": true}]'
  params: null
utc_time_created: '2026-01-02 03:04:05.000000'
"""
CSV = "name,length,flat\n" + "".join(f"flower {at},{at / 7:.4f},{at % 2 == 0}\n" for at in range(250))
GEOJSON = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": "field"},
            "geometry": {"type": "Polygon", "coordinates": [[[8, 47], [9, 47], [9, 48], [8, 47]]]},
        },
        {"type": "Feature", "properties": {"name": "well"}, "geometry": {"type": "Point", "coordinates": [8.5, 47.4]}},
    ],
}


@frozen
class Corpus:
    """Ids of an experiment and of its runs."""

    experiment_id: str
    good: str
    hostile: str
    newest: str
    child: str


def png(shade: int, side: int = 32) -> bytes:
    """Return a grey square as PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes([shade]) * side for _ in range(side))
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def npy() -> bytes:
    """Return six float64 numbers in two rows."""
    head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }"
    head += b" " * (118 - len(head) - 1) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + struct.pack("<6d", *range(6))


def sound() -> bytes:
    """Return a tenth of a second of silence."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 1, 8000, 800, "NONE", ""))
        file.writeframes(b"\x80" * 800)
    return out.getvalue()


def pdf() -> bytes:
    """Return an empty page."""
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    )


FILES: dict[str, bytes] = {
    "plots/loss.png": png(200),
    "plots/drawing.svg": HOSTILE_SVG.encode(),
    **{f"images/sample+step+{at}+timestamp+{1_700_000_000_000 + at}+id{at}.png": png(40 * at + 20) for at in range(4)},
    "tables/flowers.csv": CSV.encode(),
    "tables/lines.jsonl": b'{"a": 1, "b": "x"}\n{"a": 2, "b": null}\n',
    "tables/numbers.npy": npy(),
    "tables/logged.json": json.dumps({"columns": ["question", "answer"], "data": [["6 x 7", 42]]}).encode(),
    "text/train.py": b'# trains\nimport mlcore\n\nfor step in range(3):\n    print("step", step)  # 1.5\n',
    "text/long.log": b"".join(b"line %d of the log\n" % at for at in range(20_000)),
    "text/config.json": json.dumps({"model": {"kind": "tree", "depths": list(range(250))}, "id": 2**60}).encode(),
    "text/params.yaml": b"alpha: 0.5\nkind: tree\n",
    "text/README.md": b"# Results\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
    "text/empty.txt": b"",
    "text/Ruh#1 100%+.txt": b"an odd name\n",
    "report/index.html": b'<!doctype html><link rel="stylesheet" href="style.css"><h1>Report</h1><img src="a.png" alt="">',
    "report/style.css": b"h1 { color: rgb(1, 2, 3); }",
    "report/a.png": png(90),
    "paper.pdf": pdf(),
    "sound.wav": sound(),
    "clip.mp4": b"not really",
    "map.geojson": json.dumps(GEOJSON).encode(),
    "weights.bin": bytes(range(256)) * 8,
    "model/MLmodel": MODEL.encode(),
    "model/requirements.txt": b"scikit-learn==1.5.0\n",
    "model/model.skops": b"\0\1",
    "mlcore/error/traceback.txt": b'Traceback (most recent call last):\n  File "train.py", line 3, in <module>\nValueError: no data\n',
}
HOSTILE_FILES: dict[str, bytes] = {
    "report.html": HOSTILE_HTML.encode(),
    "drawing.svg": HOSTILE_SVG.encode(),
    "note.md": HOSTILE_NOTE.encode(),
    "page.xhtml": f'<html xmlns="http://www.w3.org/1999/xhtml"><body><script>alert(1)</script>{SCRIPT}</body></html>'.encode(),
    "cells.csv": f"{SCRIPT},b\n{IMAGE},=1+1\n".encode(),
    "keys.json": json.dumps({SCRIPT: IMAGE, "__proto__": {"x": IMAGE}, "constructor": 1}).encode(),
    "map.geojson": json.dumps(
        {"type": "Feature", "properties": {IMAGE: SCRIPT}, "geometry": {"type": "Point", "coordinates": [1, 2]}}
    ).encode(),
    "code.py": f"print('{SCRIPT}')  # {IMAGE}\n".encode(),
    "<img src=x onerror=alert(1)>.txt": SCRIPT.encode(),
    "model/MLmodel": HOSTILE_MODEL.encode(),
    "model/requirements.txt": SCRIPT.encode(),
    "sound.mp3": SCRIPT.encode(),
    "picture.png": HOSTILE_HTML.encode(),
}


def fill(client: Client, server: LiveServer) -> Corpus:
    """Record an experiment with a failed run of many files, its child, a hostile run and a newer one that runs."""
    place = server.directory / "artifacts" / "corpus"
    experiment = client.create_experiment("flowers", artifact_location=place.as_uri())
    good = client.create_run(experiment, start_time=1_700_000_000_000, run_name="calm-otter", tags=_tags()).info.run_id
    for at in range(30):
        client.log_metric(good, "loss", 1 / (at + 1), step=at, timestamp=1_700_000_000_000 + at * 1000)
        client.log_metric(good, "system/cpu", 50 + at, step=at, timestamp=1_700_000_000_000 + at * 1000)
    client.log_metric(good, "worst", float("nan"))
    for at in range(12):
        client.log_param(good, f"param_{at:02}", at)
    dataset = Dataset(name="iris", digest="abc123", source_type="local", source='{"uri": "iris.csv"}')
    client.log_inputs(good, [DatasetInput(dataset, (InputTag("mlflow.data.context", "training"),))])
    _put(client, good, FILES)
    client.set_terminated(good, "FAILED", end_time=1_700_000_090_000)
    child = client.create_run(experiment, run_name="fold", tags={"mlflow.parentRunId": good}).info.run_id
    hostile = client.create_run(
        experiment, start_time=1_700_000_100_000, run_name=IMAGE, tags=_hostile_tags()
    ).info.run_id
    client.log_param(hostile, "img src: onerror/alert", SCRIPT)
    client.log_param(hostile, "value", IMAGE)
    client.log_metric(hostile, "loss", 0.5)
    _put(client, hostile, HOSTILE_FILES)
    client.set_terminated(hostile, "FAILED")
    newest = client.create_run(experiment, start_time=1_700_000_200_000, run_name="newest").info.run_id
    client.log_metric(newest, "loss", 0.5, step=1)
    return Corpus(experiment, good, hostile, newest, child)


def _tags() -> Mapping[str, object]:
    return {
        "team": "green",
        "mlflow.note.content": "## Notes\n\nThe *best* so far.",
        "mlflow.user": "ada",
        "mlflow.source.name": "/home/ada/flowers/train.py",
        "mlflow.source.git.commit": "0123456789abcdef0123456789abcdef01234567",
        "mlflow.source.git.repoURL": "git@example.org:ada/flowers.git",
        "mlflow.loggedArtifacts": json.dumps([{"path": "tables/logged.json", "type": "table"}]),
        "mlcore.error.type": "ValueError",
        "mlcore.error.message": "no data",
    }


def _hostile_tags() -> Mapping[str, object]:
    return {
        "plain": SCRIPT,
        "with spaces: onerror/alert": IMAGE,
        "mlflow.note.content": HOSTILE_NOTE,
        "mlflow.user": IMAGE,
        "mlflow.source.name": f"'; rm -rf /; {SCRIPT}.py",
        "mlflow.source.git.commit": "javascript:alert(1)",
        "mlflow.source.git.repoURL": "javascript:alert(1)",
        "mlflow.loggedArtifacts": "{not json",
        "mlcore.error.type": SCRIPT,
        "mlcore.error.message": IMAGE,
        "mlcore.refused": json.dumps([{"param": IMAGE, "kept": SCRIPT, "refused": IMAGE}]),
    }


def _put(client: Client, run_id: str, files: Mapping[str, bytes]) -> None:
    for path, body in files.items():
        client.log_stream(run_id, io.BytesIO(body), path)


def parquet(folder: Path) -> bytes:
    """Return a table of two columns."""
    import pyarrow as pa
    from pyarrow import parquet as pq

    target = folder / "t.parquet"
    pq.write_table(pa.table({"x": [1, 2, 3], "y": ["a", "b", None]}), target)
    return target.read_bytes()
