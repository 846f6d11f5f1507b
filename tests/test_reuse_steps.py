"""A step of before stands for a new one exactly when code, parameters, inputs and environment are the same."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import mlcore
from mlcore.entities import RunStatus
from mlcore.errors import ExecutionError
from mlcore.hookspecs import hookimpl
from mlcore.interfaces import ArtifactRepo, EnvironmentSpec
from mlcore.projects import fingerprint, outputs, reuse, run_tags
from mlcore.projects.parameters import Argument
from mlcore.projects.request import RunRequest
from mlcore.projects.running import run_request
from mlcore.projects.spec import EntryPoint
from mlcore.projects.submitted import SubmittedRun
from mlcore.testing.memory_repo import MemoryRepo
from mlcore.tracking.session import Session, current_session

PROJECT = """\
name: steps
entry_points:
  copy:
    parameters:
      data: path
      rows: {type: float, default: 10}
    command: "cat {data}"
  look:
    parameters: {data: uri}
    command: "cat {data}"
  fail:
    command: "false"
  tell:
    command: "env"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLCORE_TRACKING_URI", f"sqlite:///{tmp_path}/store.db")
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "MLproject").write_text(PROJECT)
    (tmp_path / "data.csv").write_text("1,2\n")
    return tmp_path / "project"


@pytest.fixture
def session(project: Path) -> Session:
    return current_session()


@pytest.fixture
def parent(session: Session) -> Iterator[str]:
    with mlcore.start_run() as run:
        yield run.info.run_id


def step(
    project: Path, session: Session, reuse: bool | None = None, entry: str = "copy", **more: object
) -> SubmittedRun:
    parameters = {"data": project.parent / "data.csv", **more} if entry == "copy" else more
    request = RunRequest(uri=str(project), entry_point=entry, parameters=parameters, reuse=reuse, env_manager="local")
    return run_request(request, session)


def test_a_finished_step_is_taken_again_and_the_parent_tells(
    project: Path, session: Session, parent: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first = step(project, session)

    second = step(project, session)

    assert (first.reused, second.reused) == (False, True)
    assert second.run_id == first.run_id
    assert mlcore.get_run(parent).data.tags[f"{reuse.REUSED}{first.run_id}"] == "copy"
    assert run_tags.FINGERPRINT in mlcore.get_run(first.run_id).data.tags
    assert f"copy: run {first.run_id} of before is taken" in capsys.readouterr().err


def test_one_byte_of_code_makes_another_step(project: Path, session: Session, parent: str) -> None:
    first = step(project, session)
    (project / "lib.py").write_text("x = 1\n")
    second = step(project, session)
    (project / "lib.py").write_text("x = 2\n")
    third = step(project, session)
    (project / "lib.py").write_text("x = 1\n")

    again = step(project, session)

    assert len({first.run_id, second.run_id, third.run_id}) == 3
    assert again.run_id == second.run_id


def test_a_dirty_file_of_a_repository_makes_another_step(project: Path, session: Session, parent: str) -> None:
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"]):
        subprocess.run(["git", *command], cwd=project, check=True)
    first = step(project, session)
    (project / "MLproject").write_text(f"{PROJECT}# dirty\n")

    dirty = step(project, session)
    (project / "MLproject").write_text(PROJECT)
    clean = step(project, session)

    assert dirty.run_id != first.run_id
    assert clean.run_id == first.run_id


def test_a_step_of_a_commit_is_taken_again_and_no_checkout_is_left(
    project: Path, session: Session, parent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setenv("MLCORE_CACHE_DIR", str(tmp_path / "cache"))
    (project / "own.csv").write_text("5,6\n")
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"]):
        subprocess.run(["git", *command], cwd=project, check=True)
    request = RunRequest(uri=str(project), version="HEAD", entry_point="copy", parameters={"data": "own.csv"})

    first = run_request(request, session)
    second = run_request(request, session)

    assert (first.reused, second.reused) == (False, True)
    assert second.run_id == first.run_id
    assert list((tmp_path / "temporary").iterdir()) == []


def test_another_parameter_makes_another_step(project: Path, session: Session, parent: str) -> None:
    first = step(project, session)

    assert step(project, session, rows=11).run_id != first.run_id
    assert step(project, session, rows=10).reused  # the default, given


def test_inputs_count_by_their_content_and_not_by_their_path(project: Path, session: Session, parent: str) -> None:
    first = step(project, session)
    data = project.parent / "data.csv"
    (project.parent / "same.csv").write_text(data.read_text())
    data.write_text("1,3\n")

    other = step(project, session)
    same = step(project, session, data=project.parent / "same.csv")

    assert other.run_id != first.run_id
    assert same.run_id == first.run_id


def test_a_step_whose_artifacts_are_gone_is_run_again(project: Path, session: Session, parent: str) -> None:
    first = step(project, session)
    info = mlcore.get_run(first.run_id).info
    kept = Path(info.artifact_uri.removeprefix("file://")) / run_tags.OUTPUT
    kept.unlink()

    second = step(project, session)

    assert not second.reused
    assert second.run_id != first.run_id


def test_a_step_whose_artifact_has_other_content_of_the_same_size_is_run_again(
    project: Path, session: Session, parent: str
) -> None:
    first = step(project, session)
    kept = Path(mlcore.get_run(first.run_id).info.artifact_uri.removeprefix("file://")) / run_tags.OUTPUT
    content, modified_ns = kept.read_bytes(), kept.stat().st_mtime_ns
    kept.write_bytes(content[::-1])
    os.utime(kept, ns=(modified_ns, modified_ns))

    changed = step(project, session)
    kept.write_bytes(content)
    mlcore.delete_run(changed.run_id)
    restored = step(project, session)

    assert (changed.reused, restored.reused) == (False, True)
    assert restored.run_id == first.run_id


def test_of_more_than_is_read_the_time_of_modification_counts(
    project: Path, session: Session, parent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs, "MAX_READ_BYTES", 0)
    first = step(project, session)
    again = step(project, session)
    kept = Path(mlcore.get_run(first.run_id).info.artifact_uri.removeprefix("file://")) / run_tags.OUTPUT
    os.utime(kept, ns=(0, 0))

    assert again.reused
    assert not step(project, session).reused


class _Marked(MemoryRepo):
    """A place elsewhere that tells a checksum of a file."""

    def fingerprint(self, path: str) -> str | None:
        return hashlib.md5(self.files[path], usedforsecurity=False).hexdigest() if path in self.files else None


class _Marking:
    def __init__(self, repo: _Marked) -> None:
        self.repo = repo

    @hookimpl
    def artifact_repo(self, uri: str) -> ArtifactRepo | None:
        return self.repo if uri.startswith("marked:") else None


def test_of_artifacts_elsewhere_the_checksum_counts_that_their_place_tells(
    project: Path, session: Session, parent: str
) -> None:
    repo = _Marked()
    undo = session.plugins.register(_Marking(repo))
    try:
        there = mlcore.create_experiment("there", artifact_location="marked://place")
        request = RunRequest(uri=str(project), entry_point="tell", experiment_id=there, reuse=True)
        first, again = (run_request(request, session) for _ in range(2))
        for path, content in repo.files.items():
            repo.files[path] = content[::-1]
        changed = run_request(request, session)
    finally:
        undo()

    assert (first.reused, again.reused, changed.reused) == (False, True, False)


def test_a_deleted_step_is_run_again(project: Path, session: Session, parent: str) -> None:
    first = step(project, session)
    mlcore.delete_run(first.run_id)

    assert not step(project, session).reused


def test_a_step_that_failed_is_run_again(project: Path, session: Session, parent: str) -> None:
    found = set()
    for _ in range(2):
        with pytest.raises(ExecutionError) as failed:
            step(project, session, entry="fail")
        found.add(str(failed.value))

    assert len(found) == 2, "two runs"


def test_no_reuse_makes_a_new_run_that_the_next_step_takes(project: Path, session: Session, parent: str) -> None:
    step(project, session)
    fresh = step(project, session, reuse=False)

    assert not fresh.reused
    assert step(project, session).run_id == fresh.run_id


def test_the_steps_of_a_step_hear_of_no_reuse(project: Path, session: Session, tmp_path: Path) -> None:
    told = step(project, session, entry="tell", reuse=False)
    untold = step(project, session, entry="tell")

    assert f"{reuse.VARIABLE}=false" in list(told.logs())
    assert f"{reuse.VARIABLE}=false" not in list(untold.logs())


def test_the_setting_switches_it_off(
    project: Path, session: Session, parent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    step(project, session)
    monkeypatch.setenv(reuse.VARIABLE, "false")

    assert not step(project, current_session()).reused


def test_runs_without_parent_are_taken_again_only_when_that_is_asked_for(project: Path, session: Session) -> None:
    first = step(project, session)
    second = step(project, session, reuse=True)
    third = step(project, session, reuse=True)
    fourth = step(project, session)

    assert third.run_id == second.run_id
    assert len({first.run_id, second.run_id, fourth.run_id}) == 3


def test_two_equal_steps_at_once_both_end_well(project: Path, session: Session, parent: str) -> None:
    found: list[SubmittedRun] = []
    threads = [threading.Thread(target=lambda: found.append(step(project, session))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert [each.get_status() for each in found] == [RunStatus.FINISHED] * 2
    assert step(project, session).reused


def test_without_the_store_a_step_is_run(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCORE_TRACKING_URI", "http://127.0.0.1:9")  # nobody answers there
    monkeypatch.setenv("MLCORE_SPOOL_DIR", str(tmp_path / "spool"))
    monkeypatch.setenv("MLCORE_PATIENCE_S", "0.5")

    with mlcore.start_run():
        made = step(project, current_session())

    assert not made.reused


def test_nobody_waits_for_earlier_steps_of_a_server_that_never_answers(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLCORE_SPOOL_DIR", str(tmp_path / "spool"))
    monkeypatch.setenv("MLCORE_PATIENCE_S", "0.3")
    request = RunRequest(uri=str(project), entry_point="copy", reuse=True, experiment_id="0")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("MLCORE_TRACKING_URI", f"http://127.0.0.1:{silent.getsockname()[1]}")
        asked = threading.Thread(target=reuse.earlier, args=(request, "f" * 64, "copy", current_session()), daemon=True)
        asked.start()
        asked.join(60)
        is_waiting = asked.is_alive()

    assert not is_waiting
    assert "whether step 'copy' was run before is not known" in caplog.text
    assert "did not answer in 0.3 s" in caplog.text


def test_a_local_uri_counts_by_its_content_and_by_its_place(project: Path, session: Session, parent: str) -> None:
    data, same = project.parent / "data.csv", project.parent / "same.csv"
    same.write_text(data.read_text())
    first = step(project, session, entry="look", data=data)

    again = step(project, session, entry="look", data=data.as_uri().replace("file://", ""))
    elsewhere = step(project, session, entry="look", data=same)
    data.write_text("3,4\n")
    changed = step(project, session, entry="look", data=data)

    assert again.run_id == first.run_id
    assert (elsewhere.reused, changed.reused) == (False, False)


def _of(environment: EnvironmentSpec, manager: str = "uv", directory: Path | None = None, data: str = "x") -> str:
    entry, arguments = EntryPoint("main", "cat {data}"), (Argument("data", data),)
    return fingerprint.of("tree:1", entry, arguments, {}, environment, manager=manager, directory=directory)


def test_another_lock_manager_or_python_makes_another_fingerprint() -> None:
    specs = [
        EnvironmentSpec(requirements=("a==1",)),
        EnvironmentSpec(requirements=("a==2",)),
        EnvironmentSpec(requirements=("a==1",), locked=True),
        EnvironmentSpec(requirements=("a==1",), python="3.12"),
    ]

    found = {_of(spec) for spec in specs} | {_of(specs[0], "virtualenv"), _of(specs[0], "local")}

    assert len(found) == 6


def test_where_a_checkout_lies_makes_no_other_fingerprint() -> None:
    found = {
        _of(
            EnvironmentSpec(requirements=(f"-r {place}/more.txt",), source=Path(f"{place}/python_env.yaml")),
            directory=Path(place),
            data=f"{place}/data.csv",
        )
        for place in ("/tmp/one", "/tmp/two")  # nothing is there
    }

    assert len(found) == 1


def test_code_without_identity_has_no_fingerprint() -> None:
    assert fingerprint.of("", EntryPoint("main", "true"), (), {}, EnvironmentSpec()) == ""
