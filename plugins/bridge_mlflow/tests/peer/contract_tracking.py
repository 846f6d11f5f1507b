"""The contract of tracking stores, for MLflow's own SQL store through the bridge."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlcore.hookspecs import HookSpecs
from mlcore.interfaces import TrackingStore
from mlcore.plugins import Plugins
from mlcore.settings import Settings
from mlcore.testing import TrackingStoreContract

RESTORES = "MLflow's SQL store restores all runs of an experiment that comes back"
ACME = Settings(bridges=("mlflow:acme-mlflow",))


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """MLflow takes seconds to make its tables, so every test starts with a copy, changed last a long time ago."""
    place = tmp_path_factory.mktemp("empty")
    Plugins.discover(ACME).first(HookSpecs.tracking_store, uri=f"acme-sql:{place}", artifact_root=None).close()
    with contextlib.closing(sqlite3.connect(place / "acme.db")) as database, database:
        database.execute("UPDATE experiments SET last_update_time = 1")
    return (place / "acme.db").read_bytes()


class TestBridgedStore(TrackingStoreContract):
    expected_failures = {
        "test_a_run_that_was_deleted_before_its_experiment_stays_deleted": RESTORES,
        "test_a_run_deleted_after_its_experiment_came_back_stays_deleted_the_next_time": RESTORES,
        "test_a_run_that_runs_again_has_no_end": "MLflow keeps the end of a run that runs again",
        "test_setting_an_experiment_tag_leaves_the_others_and_tells_the_time": "MLflow's SQL store counts no tag as a change",
        "test_whatever_was_recorded_is_read_back": "MLflow's SQL store keeps infinity and the largest double alike",
    }

    @pytest.fixture
    def store(self, tmp_path: Path, empty_database: bytes) -> Iterator[TrackingStore]:
        (tmp_path / "acme.db").write_bytes(empty_database)
        root = (tmp_path / "artifacts").as_uri()
        store = Plugins.discover(ACME).first(HookSpecs.tracking_store, uri=f"acme-ids:{tmp_path}", artifact_root=root)
        yield store
        store.close()
