"""A search runs real commands below one parent run, in a pool, and ends truthfully however it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from own_server import own_server

import mlcore
from mlcore.entities import Run, RunStatus
from mlcore.errors import PluginNotFoundError, ProjectError
from mlcore.projects import run_tags
from mlcore.projects.reproducing import reproduce
from mlcore.projects.request import RunRequest
from mlcore.projects.search import parent
from mlcore.projects.search.options import Searched, SearchOptions
from mlcore.projects.search.running import search
from mlcore.projects.search.trials import Trial
from mlcore.tracking.session import current_session

PROJECT = """\
name: toy
entry_points:
  main:
    parameters:
      x: float
      y: {type: float, default: 1}
    command: "python train.py {x} {y}"
  check:
    parameters: {n: float}
    command: "bash check.sh {n}"
  alone:
    parameters: {n: float}
    command: "bash alone.sh"
  together:
    parameters: {n: string, place: string}
    command: "bash together.sh {n} {place}"
  sleep:
    parameters: {n: float}
    command: "sleep {n}"
"""
TRAIN = """\
import sys
import mlcore
x, y = map(float, sys.argv[1:])
with mlcore.start_run():
    mlcore.log_metric("loss", (x - 2) ** 2 + y)
"""
SCRIPTS = {
    "train.py": TRAIN,
    "check.sh": 'echo "looking at $1"; [ "$1" != 2 ] || { echo "two is not allowed"; exit 3; }\n',
    "alone.sh": "[ ! -e mark ] && touch mark\n",
    # each waits for the other, so that it ends only when both go at a time
    "together.sh": 'touch "$2/$1"; for i in $(seq 600); do [ -e "$2/a" ] && [ -e "$2/b" ] && exit 0; sleep 0.1; done; exit 1\n',
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLCORE_TRACKING_URI", f"sqlite:///{tmp_path}/store.db")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "MLproject").write_text(PROJECT)
    for name, text in SCRIPTS.items():
        (folder / name).write_text(text)
    return folder


def searched(
    project: Path | str,
    entry: str,
    parameters: dict[str, object],
    changed: Callable[[Trial], None] = lambda _: None,
    version: str | None = None,
    **how: object,
) -> Searched:
    request = RunRequest(uri=str(project), entry_point=entry, parameters=parameters, version=version)
    return search(request, SearchOptions(**how), current_session(), changed=changed)  # type: ignore[arg-type]  # of the record


def runs_below(run_id: str) -> list[Run]:
    return mlcore.Client().search_runs(["0"], f"tags.`mlflow.parentRunId` = '{run_id}'")


def test_the_best_of_a_grid_is_found_and_kept_with_the_parent(project: Path) -> None:
    found = searched(project, "main", {"x": "1,2", "y": "0.5"}, metric="loss", jobs=2)

    below = {run.info.run_id: run for run in runs_below(found.parent_run_id)}
    above = mlcore.get_run(found.parent_run_id)
    assert found.best is not None
    assert (found.best.point, found.best.value) == ({"x": "2"}, 0.5)
    assert {(t.run_id, t.status.value, t.value) for t in found.trials} == {
        (run_id, run.info.status.value, run.data.metrics["loss"]) for run_id, run in below.items()
    }
    assert below[found.best.run_id].data.params == {"x": "2", "y": "0.5"}
    assert below[found.best.run_id].info.run_name == "x=2"
    assert above.info.status is RunStatus.FINISHED
    assert above.data.params == {"x": "1,2", "y": "0.5"}
    assert above.data.tags[run_tags.SEARCH_BEST] == found.best.run_id
    assert above.data.tags["mlflow.project.entryPoint"] == "main"
    assert above.data.metrics == {"loss": 0.5}


def test_a_run_that_fails_tells_why_and_the_others_go_on(project: Path) -> None:
    found = searched(project, "check", {"n": "1,2,3"})

    assert [t.status.value for t in found.trials] == ["FINISHED", "FAILED", "FINISHED"]
    assert found.trials[1].message == "the command ended with exit code 3: two is not allowed"
    assert found.status is RunStatus.FINISHED
    assert json.loads(mlcore.get_run(found.parent_run_id).data.tags[parent.COUNTS]) == {"FAILED": 1, "FINISHED": 2}


def test_the_parent_failed_when_every_run_did(project: Path) -> None:
    found = searched(project, "check", {"n": "2", "m": "1,2"}, jobs=2)

    assert found.status is RunStatus.FAILED
    assert mlcore.get_run(found.parent_run_id).info.status is RunStatus.FAILED


def test_a_whole_search_is_not_reproduced_but_a_run_of_it_is(project: Path) -> None:
    found = searched(project, "check", {"n": "5,6"})

    with pytest.raises(ProjectError, match="stands for a whole search"):
        reproduce(found.parent_run_id)
    again = reproduce(found.trials[1].run_id)
    assert mlcore.get_run(again.run_id).data.params == {"n": "6"}


def test_a_metric_that_no_run_has_is_told(project: Path) -> None:
    found = searched(project, "check", {"n": "1,3"}, metric="loss")

    assert found.best is None
    assert {t.message for t in found.trials} == {"it has no metric 'loss' (it has none)"}


@pytest.mark.parametrize(
    ("entry", "parameters", "how", "what"),
    [
        ("check", {"n": "1,two,3,x"}, {}, r"(?s)'two' is not a number.*'x' is not a number"),
        ("check", {"n": "1"}, {}, "nothing to search"),
        ("check", {"n": "range(1,x)"}, {}, "parameter 'n', column 9"),
        ("check", {"n": "uniform(0,1)"}, {}, "--search random"),
        ("check", {"n": "range(90000)", "m": "1,2"}, {}, "a grid of 180000 runs"),
        ("chek", {"n": "1,2"}, {}, "did you mean 'check'"),
        ("main", {"y": "1,2"}, {}, "'x'"),
    ],
)
def test_what_cannot_be_searched_starts_nothing(
    project: Path, entry: str, parameters: dict[str, object], how: dict[str, object], what: str
) -> None:
    with pytest.raises(ProjectError, match=what):
        searched(project, entry, parameters, **how)

    assert mlcore.Client().search_runs(["0"]) == []


def test_an_unknown_sampler_is_named(project: Path) -> None:
    with pytest.raises(PluginNotFoundError, match="'annealing'"):
        searched(project, "check", {"n": "1,2"}, strategy="annealing")


def test_random_points_stop_at_the_number_asked_for(project: Path) -> None:
    first = searched(project, "check", {"n": "uniform(5,6)"}, strategy="random", max_runs=3, seed=4)
    again = searched(project, "check", {"n": "uniform(5,6)"}, strategy="random", max_runs=3, seed=4)

    assert [t.point for t in first.trials] == [t.point for t in again.trials]
    assert len({t.point["n"] for t in first.trials}) == 3


def test_jobs_go_at_the_same_time(project: Path, tmp_path: Path) -> None:
    found = searched(project, "together", {"n": "a,b", "place": str(tmp_path)}, jobs=2)

    assert [t.status for t in found.trials] == [RunStatus.FINISHED] * 2


def test_runs_of_a_commit_have_a_copy_each_that_is_gone_afterwards(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"]):
        subprocess.run(["git", *command], cwd=project, check=True)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setenv("MLCORE_CACHE_DIR", str(tmp_path / "cache"))

    found = searched(project, "alone", {"n": "range(3)"}, version="HEAD", jobs=2)

    assert [t.message for t in found.trials] == [""] * 3
    assert not (project / "mark").exists()
    assert list((tmp_path / "temporary").iterdir()) == []


def test_searched_runs_are_new_unless_reuse_is_asked_for(project: Path) -> None:
    first = searched(project, "check", {"n": "5,6"})
    second = searched(project, "check", {"n": "5,6"})

    assert not {t.run_id for t in first.trials} & {t.run_id for t in second.trials}


def _mlcore(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mlcore.cli", "run", *arguments]


def _until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_the_parent_gives_heartbeats_as_long_as_the_search_goes_on(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLCORE_HEARTBEAT_S", "0.1")
    seen: list[str] = []

    def look(trial: Trial) -> None:
        if trial.has_ended:
            (above,) = [r for r in mlcore.Client().search_runs(["0"]) if "mlflow.parentRunId" not in r.data.tags]
            seen.append(above.data.tags["mlcore.heartbeat"])

    searched(project, "sleep", {"n": "0.5,0.6"}, look)

    assert len(set(seen)) == 2


def test_ctrl_c_kills_all_runs_and_begins_no_other(project: Path, tmp_path: Path) -> None:
    command = _mlcore(str(project), "-e", "sleep", "-P", "n=611,612,613", "--jobs", "2", "--search", "grid")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True) as process:
        client = mlcore.Client()
        _until(
            lambda: len([r for r in client.search_runs(["0"]) if "mlcore.project.jobId" in r.data.tags]) == 2,
            "two runs never began",
        )
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)

    assert process.returncode == 130, said
    found = client.search_runs(["0"])
    assert [r.info.status for r in found] == [RunStatus.KILLED] * 3
    assert len({r.data.tags.get("mlflow.parentRunId") for r in found}) == 2
    assert b"Traceback" not in said


def test_a_server_that_dies_in_the_middle_does_not_end_the_search(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLCORE_PATIENCE_S", "1")
    monkeypatch.setenv("MLCORE_SPOOL_DIR", str(tmp_path / "spool"))

    with ExitStack() as running:
        server = running.enter_context(own_server())
        monkeypatch.setenv("MLCORE_TRACKING_URI", server.uri)
        found = searched(project, "check", {"n": "1,2,3"}, lambda t: running.close() if t.has_ended else None)

    assert [t.status.value for t in found.trials] == ["FINISHED", "FAILED", "FINISHED"]
    assert found.status is RunStatus.FINISHED
    waiting = {path.name for path in (tmp_path / "spool").rglob("*") if path.is_dir()}
    assert waiting >= {found.parent_run_id, *(t.run_id for t in found.trials[1:])}


def test_in_a_pipe_there_is_a_line_for_each_run_and_words_elsewhere(project: Path) -> None:
    command = _mlcore(str(project), "-e", "check", "-P", "n=range(1,4)", "--jobs", "1")

    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    header, *lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert header.split("\t") == ["number", "run_id", "status", "params.n", "duration_ms", "message"]
    assert [line.split("\t")[::2][:2] for line in lines] == [["0", "FINISHED"], ["1", "FAILED"], ["2", "FINISHED"]]
    assert "1 of 3 runs failed; the first, run " in done.stderr
    assert "two is not allowed" in done.stderr


def test_json_has_an_object_for_each_run_and_one_for_the_search(project: Path) -> None:
    command = _mlcore(
        str(project), "-e", "check", "-P", "n=2,2.0", "-P", "m=a", "--search", "grid", "--json", "--max-runs", "1"
    )

    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    run, last = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 1
    assert (run["type"], run["status"], run["params"]) == ("run", "FAILED", {"n": "2"})
    assert (last["type"], last["status"], last["runs"], last["best"]) == ("search", "FAILED", 1, None)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--metric", "loss"], "--metric is for a search"),
        (["--search", "grid", "--run-id", "x"], "--run-id is for one run"),
        (["--search", "grid", "--no-block"], "leave --no-block out"),
    ],
)
def test_options_that_do_not_go_together_are_misuse(
    project: Path, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from mlcore.cli import main

    assert main(["run", str(project), *options]) == 2
    assert said in capsys.readouterr().err
