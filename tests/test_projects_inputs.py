"""Parameters that name files: local ones absolute, remote ones downloaded once."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from file_server import FileServer, file_server

import mlcore
from mlcore.errors import ProjectError
from mlcore.plugins import Plugins
from mlcore.projects import downloads
from mlcore.projects.inputs import checksums, placed
from mlcore.projects.parameters import Argument
from mlcore.projects.spec import ParameterType
from mlcore.settings import Settings
from mlcore.tracking.session import Session, current_session


@pytest.fixture
def web() -> Iterator[FileServer]:
    with file_server() as server:
        yield server


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCORE_CACHE_DIR", str(tmp_path / "cache"))


def path_of(value: str) -> Argument:
    return Argument("data", value, ParameterType.PATH)


def uri_of(value: str) -> Argument:
    return Argument("target", value, ParameterType.URI)


def test_local_paths_become_absolute_from_the_working_directory_and_then_the_project(
    tmp_path: Path, session: Session
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "here.csv").write_text("1")
    (project / "there.csv").write_text("2")
    (project / "here.csv").write_text("3")
    arguments = (path_of("here.csv"), path_of("there.csv"), path_of((tmp_path / "here.csv").as_uri()))

    found = placed(arguments, directory=project, storage=lambda: tmp_path / "store", session=session)

    assert [each.value for each in found] == [
        str(tmp_path / "here.csv"),
        str(project / "there.csv"),
        str(tmp_path / "here.csv"),
    ]


def test_all_faults_are_told_at_once_and_nothing_is_downloaded(
    tmp_path: Path, session: Session, web: FileServer
) -> None:
    arguments = (
        path_of("missing.csv"),
        uri_of("s3//bucket/typed/wrong"),
        Argument("more", f"{web.uri}/a.csv", ParameterType.PATH),
    )

    with pytest.raises(ProjectError, match=r"(?s)'data'.*'missing\.csv'.*'target'.*expected a URI"):
        placed(arguments, directory=tmp_path, storage=lambda: tmp_path / "store", session=session)
    assert web.asked == []


def test_uris_are_passed_on_and_local_ones_become_absolute(tmp_path: Path, session: Session) -> None:
    arguments = (uri_of("s3://bucket/key"), uri_of("runs:/abc/model"), uri_of("results"), Argument("s", "../plain"))

    found = placed(arguments, directory=tmp_path, storage=lambda: tmp_path, session=session)

    assert [each.value for each in found] == [
        "s3://bucket/key",
        "runs:/abc/model",
        str(tmp_path / "results"),
        "../plain",
    ]


def test_a_remote_file_is_downloaded_once_for_all_runs(tmp_path: Path, session: Session, web: FileServer) -> None:
    web.files["/data/a.csv"] = b"1,2\n"
    uri = f"{web.uri}/data/a.csv"

    (first,) = placed((path_of(uri),), directory=tmp_path, storage=lambda: tmp_path / "one", session=session)
    Path(first.value).write_text("spoilt by the program")
    (second,) = placed((path_of(uri),), directory=tmp_path, storage=lambda: tmp_path / "two", session=session)

    assert Path(second.value) == tmp_path / "two" / "param_0" / "a.csv"
    assert Path(second.value).read_bytes() == b"1,2\n"
    assert web.fetched("/data/a.csv") == 1


def test_a_remote_file_that_has_changed_is_downloaded_again(tmp_path: Path, session: Session, web: FileServer) -> None:
    web.files["/a.csv"] = b"old"
    placed((path_of(f"{web.uri}/a.csv"),), directory=tmp_path, storage=lambda: tmp_path / "one", session=session)
    web.files["/a.csv"] = b"new"

    (found,) = placed(
        (path_of(f"{web.uri}/a.csv"),), directory=tmp_path, storage=lambda: tmp_path / "two", session=session
    )

    assert Path(found.value).read_bytes() == b"new"


def test_a_kept_file_that_was_damaged_is_downloaded_again(tmp_path: Path, session: Session, web: FileServer) -> None:
    web.files["/a.csv"] = b"good"
    placed((path_of(f"{web.uri}/a.csv"),), directory=tmp_path, storage=lambda: tmp_path / "one", session=session)
    for kept in (tmp_path / "cache" / "downloads" / "files").iterdir():
        kept.write_bytes(b"bad!")

    (found,) = placed(
        (path_of(f"{web.uri}/a.csv"),), directory=tmp_path, storage=lambda: tmp_path / "two", session=session
    )

    assert Path(found.value).read_bytes() == b"good"
    assert web.fetched("/a.csv") == 2


def test_a_download_that_fails_names_parameter_and_uri_without_its_password(
    tmp_path: Path, session: Session, web: FileServer
) -> None:
    uri = web.uri.replace("http://", "http://ada:secret@") + "/none.csv"

    with pytest.raises(ProjectError, match=r"'data'.*none\.csv.* cannot be downloaded") as caught:
        placed((path_of(uri),), directory=tmp_path, storage=lambda: tmp_path / "one", session=session)
    assert "secret" not in str(caught.value)


def test_a_scheme_that_no_plugin_knows_is_told_with_the_parameter(tmp_path: Path, session: Session) -> None:
    with pytest.raises(ProjectError, match=r"'data'.*'nosuch://x/y'.*nosuch"):
        placed((path_of("nosuch://x/y"),), directory=tmp_path, storage=lambda: tmp_path, session=session)


def test_artifacts_of_runs_are_inputs(tmp_path: Path) -> None:
    mlcore.set_tracking_uri(f"sqlite:///{tmp_path}/runs.db")
    with mlcore.start_run() as run:
        mlcore.log_text("1,2\n", "data/a.csv")

    (found,) = placed(
        (path_of(f"runs:/{run.info.run_id}/data"),),
        directory=tmp_path,
        storage=lambda: tmp_path / "store",
        session=current_session(),
    )

    assert (Path(found.value) / "a.csv").read_text() == "1,2\n"


def test_what_a_program_does_to_its_input_does_not_reach_the_artifact_of_a_store_on_this_machine(
    tmp_path: Path,
) -> None:
    mlcore.set_tracking_uri(f"sqlite:///{tmp_path}/runs.db")
    with mlcore.start_run() as run:
        mlcore.log_text("1,2\n", "a.csv")
    recorded = f"runs:/{run.info.run_id}/a.csv"

    (found,) = placed(
        (path_of(recorded),), directory=tmp_path, storage=lambda: tmp_path / "store", session=current_session()
    )
    Path(found.value).write_text("9,9\n")

    assert Path(found.value) == tmp_path / "store" / "param_0" / "a.csv"
    assert Path(mlcore.download_artifacts(recorded)).read_text() == "1,2\n"


def test_storage_is_asked_for_only_when_something_is_put_there(tmp_path: Path, session: Session) -> None:
    (tmp_path / "here.csv").write_text("1")

    def storage() -> Path:
        raise AssertionError("nothing is to be put there")

    found = placed((path_of("here.csv"), uri_of("s3://b/k")), directory=tmp_path, storage=storage, session=session)
    with pytest.raises(ProjectError, match="'missing'"):
        placed((path_of("missing"), path_of("s3://b/k")), directory=tmp_path, storage=storage, session=session)

    assert [each.value for each in found] == [str(tmp_path / "here.csv"), "s3://b/k"]


def test_a_server_that_does_not_answer_is_told_and_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(downloads, "_QUIET_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"http://127.0.0.1:{silent.getsockname()[1]}"
        session = Session(Settings.load({"tracking_uri": place, "patience_s": 0.3}), Plugins.discover())
        told = rf"'data'.*'runs:/{'a' * 32}/x'.*{place} did not answer in 0\.3 s.*MLCORE_PATIENCE_S"
        with pytest.raises(ProjectError, match=told):
            placed(
                (path_of(f"runs:/{'a' * 32}/x"),), directory=tmp_path, storage=lambda: tmp_path / "s", session=session
            )
        silent.close()
        session.close()
    assert f"waiting for {place}, which says where 'runs:/{'a' * 32}/x' is: 0.3 s at most" in caplog.text


def test_registered_models_are_inputs(tmp_path: Path) -> None:
    mlcore.set_tracking_uri(f"sqlite:///{tmp_path}/runs.db")
    with mlcore.start_run() as run:
        mlcore.log_text("weights", "model/weights.txt")
    mlcore.register_model(f"runs:/{run.info.run_id}/model", "wine")

    (found,) = placed(
        (path_of("models:/wine/1"),), directory=tmp_path, storage=lambda: tmp_path / "store", session=current_session()
    )

    assert (Path(found.value) / "weights.txt").read_text() == "weights"


def test_checksums_are_of_the_content_of_files_and_directories(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("1")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_text("1")
    file, folder = path_of(str(tmp_path / "one.csv")), Argument("folder", str(tmp_path / "folder"), ParameterType.PATH)
    os.mkfifo(tmp_path / "pipe")  # nobody writes into it: who reads it waits for ever
    before = checksums((file, folder, uri_of("s3://bucket/x"), Argument("pipe", f"{tmp_path}/pipe", ParameterType.URI)))
    (tmp_path / "folder" / "a").write_text("2")
    after = checksums((file, folder))

    assert set(before) == {"data", "folder"}
    assert before["data"] == after["data"]
    assert before["folder"] != after["folder"]


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_checksums_are_of_uris_on_this_machine_too(tmp_path: Path, form: str) -> None:
    (tmp_path / "a.csv").write_text("1")
    before = checksums((uri_of(form.format(tmp_path / "a.csv")),))
    (tmp_path / "a.csv").write_text("2")

    assert set(before) == {"target"}
    assert before != checksums((uri_of(form.format(tmp_path / "a.csv")),))
    assert checksums((uri_of("file://elsewhere/a.csv"), uri_of(str(tmp_path / "none")))) == {}
