"""The code of projects from zip archives, which strangers may have made."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest
from file_server import file_server

import mlcore
from mlcore.errors import ProjectError
from mlcore.projects import sources
from mlcore.projects.archive_source import unpacked
from mlcore.tracking.session import Session, current_session

FILES = {"MLproject": "name: x\n", "part/train.py": "print(1)\n"}


def archive(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as written:
        for name, text in files.items():
            written.writestr(name, text)
    return path


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_an_archive_of_this_machine_is_unpacked_for_the_run(tmp_path: Path, session: Session, form: str) -> None:
    path = archive(tmp_path / "p.zip", FILES)

    source = sources.fetched(form.format(path) + "#part", session=session, storage=tmp_path / "store")

    assert (source.directory / "train.py").read_text() == "print(1)\n"
    assert (source.subdirectory, source.commit) == ("part", None)
    assert source.temporary is not None
    assert source.temporary.parent == tmp_path / "store"


def test_an_archive_comes_over_http(tmp_path: Path, session: Session) -> None:
    content = archive(tmp_path / "p.zip", FILES).read_bytes()
    with file_server() as web:
        web.files["/p.zip"] = content
        uri = web.uri.replace("http://", "http://ada:secret@") + "/p.zip"

        source = sources.fetched(uri, session=session)

    assert (source.directory / "MLproject").is_file()
    assert source.uri == f"{web.uri}/p.zip"


def test_an_archive_or_a_directory_comes_from_the_artifacts_of_a_run(tmp_path: Path) -> None:
    mlcore.set_tracking_uri(f"sqlite:///{tmp_path}/runs.db")
    with mlcore.start_run() as run:
        mlcore.log_artifact(str(archive(tmp_path / "p.zip", FILES)))
        mlcore.log_text("print(2)\n", "code/train.py")
    zipped = sources.fetched(f"runs:/{run.info.run_id}/p.zip", session=current_session())
    plain = sources.fetched(f"runs:/{run.info.run_id}/code", session=current_session())

    assert (zipped.directory / "part" / "train.py").read_text() == "print(1)\n"
    assert (plain.directory / "train.py").read_text() == "print(2)\n"


def test_the_one_directory_of_an_archive_is_the_project(tmp_path: Path, session: Session) -> None:
    path = archive(tmp_path / "p.zip", {f"code-main/{name}": text for name, text in FILES.items()})

    source = sources.fetched(str(path), session=session)

    assert (source.directory / "MLproject").is_file()
    assert sources.identity(source) == sources.identity(sources.fetched(str(path), session=session))


@pytest.mark.parametrize(
    "name",
    [
        "../canary",
        "/canary",
        "a/../../canary",
        "..\\canary",
        "C:\\canary",
        "%2e%2e/canary",
        "\uff0e\uff0e/canary",
        "~/canary",
    ],
)
def test_names_that_lead_out_of_the_directory_are_refused(tmp_path: Path, session: Session, name: str) -> None:
    path = archive(tmp_path / "p.zip", {"ok.py": "", name: "x"})

    with pytest.raises(ProjectError, match="leads out of its directory: nothing was unpacked"):
        sources.fetched(str(path), session=session, storage=tmp_path / "store")
    assert not any((tmp_path / "store").iterdir())
    assert not list(tmp_path.rglob("*canary*"))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path: Path, session: Session, kind: int) -> None:
    info = zipfile.ZipInfo("link")
    info.create_system = 3
    info.external_attr = (kind | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as written:
        written.writestr(info, "/etc")

    with pytest.raises(ProjectError, match=r"'link', (a symbolic link|neither file nor directory)"):
        sources.fetched(str(tmp_path / "p.zip"), session=session)


def test_a_bomb_is_stopped_by_what_comes_out_and_not_by_what_it_says(tmp_path: Path) -> None:
    path = archive(tmp_path / "p.zip", {"a": "0" * 3_000_000, "b": "0" * 3_000_000})
    content = bytearray(path.read_bytes())
    for size in (b"\xc0\xc6\x2d\x00",):  # 3,000,000: say that there are ten bytes
        content = content.replace(size, b"\x0a\x00\x00\x00")
    (tmp_path / "liar.zip").write_bytes(content)

    with pytest.raises(ProjectError, match="holds more than 5 MB of files"):
        unpacked(path, tmp_path / "one", "p.zip", max_bytes=5_000_000)
    with pytest.raises(ProjectError):
        unpacked(tmp_path / "liar.zip", tmp_path / "two", "liar.zip", max_bytes=5_000_000)
    assert sum(file.stat().st_size for file in (tmp_path / "two").rglob("*")) < 5_000_000


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["b/a", "b//a"], r"holds 'b/a' twice: nothing was unpacked"),
        (["b/a", "b"], r"holds 'b' as a file and as the directory of 'b/a': nothing was unpacked"),
    ],
)
def test_names_that_come_twice_are_refused_by_name(
    tmp_path: Path, session: Session, names: list[str], told: str
) -> None:
    path = archive(tmp_path / "p.zip", dict.fromkeys(names, "x"))

    with pytest.raises(ProjectError, match=told):
        sources.fetched(str(path), session=session, storage=tmp_path / "store")
    assert not any((tmp_path / "store").iterdir())


def test_an_archive_that_cannot_be_fetched_is_told_without_password_and_token(session: Session) -> None:
    with file_server() as web:
        uri = web.uri.replace("http://", "http://ada:geheim@") + "/none.zip?token=abc"

        with pytest.raises(ProjectError, match=r"none\.zip") as caught:
            sources.fetched(uri, session=session)
    assert "geheim" not in str(caught.value)
    assert "abc" not in str(caught.value)


@pytest.mark.parametrize("uri", ["https://ada:geheim@/x.git", "https://ada:geheim@-host/x.git"])
def test_an_address_that_cannot_be_used_is_told_without_its_password(session: Session, uri: str) -> None:
    with pytest.raises(ProjectError, match="invalid project URI") as caught:
        sources.fetched(uri, session=session)
    assert "geheim" not in str(caught.value)


def test_what_is_no_archive_is_told(tmp_path: Path, session: Session) -> None:
    (tmp_path / "p.zip").write_text("no zip")

    with pytest.raises(ProjectError, match=r"p\.zip' is no zip archive that can be read"):
        sources.fetched(str(tmp_path / "p.zip"), session=session)


def test_programs_stay_executable(tmp_path: Path, session: Session) -> None:
    info = zipfile.ZipInfo("run.sh")
    info.external_attr = (stat.S_IFREG | 0o4777) << 16
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as written:
        written.writestr(info, "echo")

    source = sources.fetched(str(tmp_path / "p.zip"), session=session)

    assert stat.S_IMODE((source.directory / "run.sh").stat().st_mode) == 0o755


def test_a_version_of_an_archive_is_refused(tmp_path: Path, session: Session) -> None:
    with pytest.raises(ProjectError, match="git repositories only"):
        sources.fetched(str(archive(tmp_path / "p.zip", FILES)), "v1", session=session)


def test_an_archive_that_is_not_there_is_told(tmp_path: Path, session: Session) -> None:
    with file_server() as web, pytest.raises(ProjectError, match=r"cannot fetch the project.*none\.zip"):
        sources.fetched(f"{web.uri}/none.zip", session=session)
    with pytest.raises(ProjectError, match="there is no such file"):
        sources.fetched(str(tmp_path / "none.zip"), session=session)
