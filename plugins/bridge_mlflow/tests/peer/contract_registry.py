"""The contract of registry stores, for MLflow's own SQL store through the bridge."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mlcore.hookspecs import HookSpecs
from mlcore.interfaces import RegistryStore
from mlcore.plugins import Plugins
from mlcore.settings import Settings
from mlcore.testing import RegistryStoreContract

_LESS = "MLflow's filters of models and versions know no OR and no NOT"
ACME = Settings(bridges=("mlflow:model_registry_store",))


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """MLflow takes seconds to make its tables, so every test starts with a copy."""
    place = tmp_path_factory.mktemp("empty")
    Plugins.discover(ACME).first(HookSpecs.registry_store, uri=f"acme-sql:{place}").close()
    return (place / "acme.db").read_bytes()


class TestBridgedRegistry(RegistryStoreContract):
    expected_failures = {
        "test_a_created_model_is_read_back": "MLflow's SQL store refuses colons in names of models",
        "test_a_change_of_a_version_is_a_change_of_its_model": "MLflow does not note it",
        "test_searches_find_the_models_that_the_reference_finds_in_its_order": _LESS,
        "test_searches_find_the_versions_that_the_reference_finds_in_its_order": _LESS,
    }

    @pytest.fixture
    def registry(self, tmp_path: Path, empty_database: bytes) -> Iterator[RegistryStore]:
        (tmp_path / "acme.db").write_bytes(empty_database)
        registry = Plugins.discover(ACME).first(HookSpecs.registry_store, uri=f"acme-sql:{tmp_path}")
        yield registry
        registry.close()
