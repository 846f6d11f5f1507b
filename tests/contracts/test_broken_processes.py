"""Stores that break between processes, on a crash or after a fork, each caught by the test that is about its fault."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mlcore.interfaces import RegistryStore, TrackingStore
from mlcore.testing import RegistryStoreContract, TrackingStoreContract
from mlcore.testing.contract import Contract
from mlcore.testing.proof import caught_by
from mlcore.testing.registry_processes import RegistryProcessContract
from mlcore.testing.registry_workers import open_registry
from mlcore.testing.tracking_processes import ForkContract, ProcessContract
from mlcore.testing.tracking_workers import open_by_plugin as open_store

FAKES = "durable_fakes"


@pytest.fixture(autouse=True)
def _find_the_fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def _uri(fault: str) -> str:
    return f"{fault}:{Path.cwd() / 'state'}"  # each test has a working directory of its own


def _store(fault: str) -> TrackingStore:
    return open_store(FAKES, _uri(fault))


def _registry(fault: str) -> RegistryStore:
    return open_registry(FAKES, _uri(fault))


class TestDurableTrackingStore(ForkContract, ProcessContract):
    plugin_module = FAKES

    @pytest.fixture
    def store_uri(self) -> str:
        return _uri("good")

    @pytest.fixture
    def store(self) -> TrackingStore:
        return _store("good")


class TestDurableRegistryStore(RegistryProcessContract):
    plugin_module = FAKES

    @pytest.fixture
    def registry_uri(self) -> str:
        return _uri("good")

    @pytest.fixture
    def registry(self) -> RegistryStore:
        return _registry("good")


_TRACKING = [
    ("unlocked", "test_of_8_processes_that_create_one_experiment_one_succeeds"),
    ("unlocked", "test_8_processes_that_create_one_run_share_it_and_lose_no_point"),
    ("torn", "test_a_process_killed_between_any_two_writes_leaves_whole_batches"),
    ("deferred", "test_a_process_killed_between_any_two_writes_leaves_whole_batches"),
    ("deferred", "test_what_was_recorded_is_there_when_the_store_is_opened_again"),
    ("remembers", "test_8_processes_that_create_one_run_share_it_and_lose_no_point"),
    ("remembers", "test_a_store_is_used_after_a_fork_on_both_sides"),
]
_REGISTRY = [
    ("unlocked", "test_of_8_processes_that_create_one_model_one_succeeds"),
    ("unlocked", "test_versions_that_8_processes_add_have_numbers_of_their_own_and_none_is_lost"),
    ("unlocked", "test_of_versions_that_8_processes_promote_one_stays_in_production"),
    ("torn", "test_a_process_killed_between_any_two_writes_leaves_whole_versions"),
    ("halves", "test_a_process_killed_between_any_two_writes_leaves_whole_versions"),
    ("torn", "test_a_process_killed_while_it_renames_leaves_one_name_with_everything"),
    ("deferred", "test_a_process_killed_between_any_two_writes_leaves_whole_versions"),
    ("deferred", "test_what_was_registered_is_there_when_the_registry_is_opened_again"),
    ("remembers", "test_versions_that_8_processes_add_have_numbers_of_their_own_and_none_is_lost"),
    ("remembers", "test_a_registry_is_used_after_a_fork_on_both_sides"),
]


def _proof(suite: type[Contract], test: str, fault: str, **fixtures: Callable[[str], object]) -> type[Contract]:
    given = {name: (lambda make=make: make(fault)) for name, make in fixtures.items()}
    made = caught_by(suite, test, **given)
    made.plugin_module = FAKES  # type: ignore[attr-defined]  # every suite of a hook has it
    return made


for _fault, _test in _TRACKING:
    globals()[f"Test_tracking_{_fault}_{_test.removeprefix('test_')[:40]}"] = _proof(
        TrackingStoreContract, _test, _fault, store=_store, store_uri=_uri
    )
for _fault, _test in _REGISTRY:
    globals()[f"Test_registry_{_fault}_{_test.removeprefix('test_')[:40]}"] = _proof(
        RegistryStoreContract, _test, _fault, registry=_registry, registry_uri=_uri
    )
