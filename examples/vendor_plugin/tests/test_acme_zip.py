"""acme-zip keeps what the contracts of mlcore ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from acme_zip.plugin import artifact_repo, run_context, tracking_store, ui_extensions

from mlcore.entities.ui_extension import UIExtension
from mlcore.interfaces import ArtifactRepo, TrackingStore
from mlcore.testing import ArtifactRepoContract, RunContextContract, TrackingStoreContract, UIExtensionsContract


class TestZipStore(TrackingStoreContract):
    plugin_module = "acme_zip.plugin"

    @pytest.fixture
    def store_uri(self, tmp_path: Path) -> str:
        return f"zip://{tmp_path}/lab.zip"

    @pytest.fixture
    def store(self, store_uri: str) -> TrackingStore:
        opened = tracking_store(store_uri, None)
        assert opened is not None
        return opened


class TestZipRepo(ArtifactRepoContract):
    plugin_module = "acme_zip.plugin"

    @pytest.fixture
    def repo(self, tmp_path: Path) -> ArtifactRepo:
        opened = artifact_repo(f"zip://{tmp_path}/lab.zip/artifacts/0")
        assert opened is not None
        return opened


class TestBench(RunContextContract):
    plugin_module = "acme_zip.plugin"

    @pytest.fixture
    def run_context(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Mapping[str, str] | None]:
        monkeypatch.setenv("ACME_BENCH", "north 7")
        return run_context


def test_other_schemes_are_left_to_others() -> None:
    assert tracking_store("sqlite:///x.db", None) is None
    assert artifact_repo("s3://bucket/x") is None


class TestPanels(UIExtensionsContract):
    plugin_module = "acme_zip.plugin"

    @pytest.fixture
    def ui_extensions(self) -> Callable[[], Sequence[UIExtension] | None]:
        return ui_extensions
