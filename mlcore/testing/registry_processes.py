"""The part of the contract suite of registry stores that is about several processes, and their sudden end.

These tests need `plugin_module` and a fixture `registry_uri`, the place of the fixture `registry`, which the plugin's
hook opens again elsewhere; without it they are skipped.
"""

# ruff: noqa: D102  # the names of tests are sentences, which say it all
from __future__ import annotations

import os
from functools import partial

import pytest

from mlcore.errors import NotFoundError
from mlcore.interfaces import RegistryStore, SupportsMoves
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.testing.processes import Start, all_at_once, in_a_fork, kill_while_working, start_worker
from mlcore.testing.registry_models import new_model, new_version
from mlcore.testing.registry_moves import check_history, moving
from mlcore.testing.registry_workers import MODEL, TWIN, open_registry, promote

_PROCESSES = 8
_CRASHES = 6


class RegistryProcessContract(PluginModuleContract):
    """What is expected when several processes use the registry, and when one of them is killed."""

    @pytest.fixture
    def registry_uri(self) -> str | None:
        """Return where the registry is, for other processes; None: the tests of processes are skipped."""
        return None

    @pytest.fixture
    def start_on_registry(self, registry: RegistryStore, registry_uri: str | None) -> Start:
        """Return a function that starts a process which works on the registry."""
        module = self.plugin_module
        if registry_uri is None or module is None:
            pytest.skip("no fixture `registry_uri` or no plugin_module: the registry is of one process")
        del registry  # it is there before the others come
        return partial(start_worker, "mlcore.testing.registry_workers", module, registry_uri)

    def test_of_8_processes_that_create_one_model_one_succeeds(
        self, start_on_registry: Start, registry: RegistryStore
    ) -> None:
        answers = all_at_once([start_on_registry("create", "race") for _ in range(_PROCESSES)])

        assert sorted(answers) == ["created"] + ["taken"] * (_PROCESSES - 1)
        assert registry.get_model("race").name == "race"

    def test_versions_that_8_processes_add_have_numbers_of_their_own_and_none_is_lost(
        self, start_on_registry: Start, registry: RegistryStore
    ) -> None:
        new_model(registry)

        answers = all_at_once([start_on_registry("versions", str(number)) for number in range(_PROCESSES)])

        told = [(int(version), f"{n}-{i}") for n, said in enumerate(answers) for i, version in enumerate(said.split())]
        assert sorted(version for version, _ in told) == list(range(1, _PROCESSES * 5 + 1)), answers
        assert {mark: _whole_version(registry, str(version)) for version, mark in told} == {m: m for _, m in told}

    def test_of_versions_that_8_processes_promote_one_stays_in_production(
        self, start_on_registry: Start, registry: RegistryStore
    ) -> None:
        new_model(registry)
        for _ in range(_PROCESSES):
            new_version(registry)

        answers = all_at_once([start_on_registry("promote", str(n + 1)) for n in range(_PROCESSES)])

        assert answers == ["done"] * _PROCESSES
        assert sorted(_stages(registry)) == ["Archived"] * (_PROCESSES - 1) + ["Production"]

    def test_of_8_processes_that_move_one_alias_one_wins_and_the_others_are_told_who(
        self, start_on_registry: Start, registry: RegistryStore
    ) -> None:
        moving(registry)
        new_model(registry)
        for _ in range(_PROCESSES):
            new_version(registry)

        answers = all_at_once([start_on_registry("claim", str(n + 1)) for n in range(_PROCESSES)])

        assert answers.count("won") == 1, answers
        winner = registry.get_version_by_alias(MODEL, "best").version
        assert answers[int(winner) - 1] == "won"
        assert all(f"'process {winner}' moved it at" in each for each in answers if each != "won"), answers
        check_history(registry)

    def test_a_process_killed_between_any_two_writes_leaves_whole_versions(
        self, start_on_registry: Start, registry_uri: str, registry: RegistryStore
    ) -> None:
        new_model(registry)
        for crash in range(_CRASHES):
            before = len(_stages(registry))
            child = start_on_registry("publish for ever")
            confirmed = kill_while_working(child, after=1 + crash, delay_s=crash * 0.0007)

            registry.close()
            again = open_registry(self.plugin_module or "", registry_uri)
            for seen in (registry, again):
                found = _stages(seen)
                assert len(found) - before in (confirmed, confirmed + 1), f"confirmed {confirmed}, found {len(found)}"
                assert all(_whole_version(seen, str(n + 1)) is not None for n in range(before, len(found)))
                assert found.count("Production") == 1, "a version was archived and no other promoted, or the reverse"
                assert int(seen.get_version_by_alias(MODEL, "best").version) >= before + confirmed
                if isinstance(seen, SupportsMoves):
                    check_history(seen)
            again.close()

    def test_a_process_killed_while_it_renames_leaves_one_name_with_everything(
        self, start_on_registry: Start, registry_uri: str, registry: RegistryStore
    ) -> None:
        new_model(registry, team="a")
        for _ in range(3):
            new_version(registry)
        registry.set_alias(MODEL, "best", "2")
        promote(registry, "3")
        for crash in range(_CRASHES):
            kill_while_working(start_on_registry("rename for ever"), after=1 + crash, delay_s=crash * 0.0007)

            registry.close()
            again = open_registry(self.plugin_module or "", registry_uri)
            name = _only_name(again)
            model = again.get_model(name)
            assert (model.tags, model.aliases) == ({"team": "a"}, {"best": "2"})
            assert [again.get_version(name, str(n)).name for n in (1, 2, 3)] == [name] * 3
            assert again.get_version(name, "3").current_stage == "Production"
            if name != MODEL:
                again.update_model(name, new_name=MODEL, description=None)
            again.close()

    def test_what_was_registered_is_there_when_the_registry_is_opened_again(
        self, start_on_registry: Start, registry_uri: str, registry: RegistryStore
    ) -> None:
        del start_on_registry  # it skips where there is no other way to the registry
        new_model(registry, team="ß")
        new_version(registry, k="v")
        promote(registry, "1")
        registry.set_alias(MODEL, "best", "1")
        before = (registry.get_model(MODEL), registry.get_version(MODEL, "1"))
        registry.close()

        again = open_registry(self.plugin_module or "", registry_uri)

        assert (again.get_model(MODEL), again.get_version(MODEL, "1")) == before
        again.close()

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
    def test_a_registry_is_used_after_a_fork_on_both_sides(
        self, registry: RegistryStore, registry_uri: str | None
    ) -> None:
        if registry_uri is None:
            pytest.skip("no fixture `registry_uri`: the registry is of one process")
        new_model(registry)

        wait = in_a_fork(lambda: [new_version(registry, source="s3://b/child") for _ in range(5)])
        for _ in range(5):
            new_version(registry, source="s3://b/parent")

        assert wait() == 0
        sources = sorted(registry.get_version(MODEL, str(n + 1)).source for n in range(10))
        assert sources == ["s3://b/child"] * 5 + ["s3://b/parent"] * 5


def _stages(registry: RegistryStore) -> list[str]:
    page = registry.search_versions(
        f"name = '{MODEL}'", order_by=("version_number ASC",), max_results=1000, page_token=None
    )
    assert [found.version for found in page.items] == [str(n + 1) for n in range(len(page.items))]
    return [found.current_stage for found in page.items]


def _whole_version(registry: RegistryStore, version: str) -> str | None:
    """Return the mark of a version; None when its parts do not belong together."""
    found = registry.get_version(MODEL, version)
    whole = found.source == f"s3://b/{found.description}" and found.tags == dict.fromkeys(
        ("mark", "more"), found.description
    )
    return found.description if whole else None


def _only_name(registry: RegistryStore) -> str:
    found = []
    for name in (MODEL, TWIN):
        try:
            found.append(registry.get_model(name).name)
        except NotFoundError:
            continue
    assert len(found) == 1, f"after a rename that was killed there are {found}"
    return found[0]
