"""The contract of artifact repositories, for mlflow-jfrog-plugin through the bridge."""

from __future__ import annotations

import io
from collections.abc import Iterator
from uuid import uuid4

import pytest
from artifactory import REPOSITORY, TOKEN, Artifactory

from mlcore.errors import ArtifactWriteError, PluginError
from mlcore.hookspecs import HookSpecs
from mlcore.interfaces import ArtifactRepo
from mlcore.plugins import Plugins
from mlcore.settings import Settings
from mlcore.testing import ArtifactRepoContract

JFROG = Settings(bridges=("mlflow:mlflow-jfrog-plugin",))


@pytest.fixture(scope="module")
def server() -> Iterator[Artifactory]:
    server = Artifactory()
    yield server
    server.stop()


@pytest.fixture
def uri(server: Artifactory, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("ARTIFACTORY_AUTH_TOKEN", TOKEN)
    monkeypatch.setenv("ARTIFACTORY_NO_SSL", "true")
    return f"artifactory://{server.host}/artifactory/{REPOSITORY}/{uuid4()}"


@pytest.fixture
def repo(uri: str) -> Iterator[ArtifactRepo]:
    repo = Plugins.discover(JFROG).first(HookSpecs.artifact_repo, uri=uri)
    yield repo
    repo.close()


class TestJFrogRepo(ArtifactRepoContract):
    """Everything, but for two names: see `conftest.py`."""


def test_a_file_that_the_plugin_drops_without_a_word_is_noticed(repo: ArtifactRepo, server: Artifactory) -> None:
    server.is_full = True
    try:
        with pytest.raises(ArtifactWriteError, match=r"'a/b'.*mlflow-jfrog-plugin 1\.0\.2.*raised no error.*nothing"):
            repo.write("a/b", io.BytesIO(b"x"), 1)
    finally:
        server.is_full = False


def test_a_plugin_that_cannot_be_opened_is_named(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARTIFACTORY_AUTH_TOKEN")

    with pytest.raises(
        PluginError, match=r"mlflow-jfrog-plugin 1\.0\.2 \(entry point artifactory = .*No Artifactory Token"
    ):
        Plugins.discover(JFROG).first(HookSpecs.artifact_repo, uri=uri)


def test_what_the_plugin_prints_when_it_is_opened_is_no_result(uri: str, capsys: pytest.CaptureFixture[str]) -> None:
    Plugins.discover(JFROG).first(HookSpecs.artifact_repo, uri=uri).close()

    printed = capsys.readouterr()
    assert printed.out == ""
    assert "JFrog: __init__" in printed.err
