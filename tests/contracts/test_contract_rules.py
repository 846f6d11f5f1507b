"""Contract tests stand as they are, and faulty plugin modules are caught."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import mlcore.testing
from mlcore.testing import ArtifactRepoContract, MemoryRepo, PluginModuleContract
from mlcore.testing.plugin_module import Imported, import_alone
from mlcore.testing.proof import caught_by

NAMES = "test_names_come_back_as_they_were"


def test_overriding_a_contract_test_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match=rf"Mine overrides the contract test '{NAMES}' of FilesContract.*expected_fail"):

        class Mine(ArtifactRepoContract):
            def test_names_come_back_as_they_were(self) -> None:  # type: ignore[override]  # that is the fault
                pass


def test_removing_a_contract_test_is_refused() -> None:
    with pytest.raises(TypeError, match=NAMES):
        type("Mine", (ArtifactRepoContract,), {NAMES: None})


def test_a_mixin_before_the_contract_cannot_override_either() -> None:
    mixin = type("Mixin", (), {NAMES: lambda self: None})

    with pytest.raises(TypeError, match=f"Mixin overrides the contract test '{NAMES}'"):
        type("Mine", (mixin, ArtifactRepoContract), {})


def test_an_expected_failure_needs_a_reason_and_a_contract_test() -> None:
    with pytest.raises(TypeError, match="does not say why"):
        type("Mine", (ArtifactRepoContract,), {"expected_failures": {NAMES: " "}})
    with pytest.raises(TypeError, match="'test_nope' to fail, which is no test of its contract"):
        type("Mine", (ArtifactRepoContract,), {"expected_failures": {"test_nope": "because"}})


SUITE = """
import pytest
from mlcore.testing import ArtifactRepoContract, MemoryRepo

class Backwards(MemoryRepo):
    def list(self, path=""):
        return super().list(path)[::-1]

class TestBackwards(ArtifactRepoContract):
    expected_failures = {{"{name}": "the server lists backwards"}}

    @pytest.fixture
    def repo(self):
        return Backwards()
"""


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("test_a_listing_has_the_direct_children_sorted_by_path", 0, "1 xfailed"),
        ("test_closing_twice_does_no_harm", 1, "XPASS(strict)"),
    ],
)
def test_an_expected_failure_has_to_fail(tmp_path: Path, name: str, code: int, said: str) -> None:
    (tmp_path / "test_it.py").write_text(SUITE.format(name=name))

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", name, "test_it.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stdout


def test_every_name_of_the_package_is_there_and_unknown_ones_are_named() -> None:
    assert all(getattr(mlcore.testing, name).__name__ == name for name in mlcore.testing.__all__)
    with pytest.raises(AttributeError, match=r"'Nope'.*ArtifactRepoContract"):
        _ = mlcore.testing.Nope


def test_a_proof_of_a_good_repository_fails() -> None:
    proof = caught_by(ArtifactRepoContract, "test_a_new_repository_is_empty", repo=MemoryRepo)

    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        proof().test_a_new_repository_is_empty(MemoryRepo())  # type: ignore[attr-defined]  # made a line above


HOOK = "from mlcore.hookspecs import hookimpl\n"
FAULTS = [
    ("import no_such_library", "test_the_plugin_module_can_be_imported_first_and_alone"),
    ("import sys; sys.exit(0)", "test_the_plugin_module_can_be_imported_first_and_alone"),
    ("import numpy", "test_the_plugin_module_imports_the_standard_library_and_mlcore_only"),
    ("sum(range(30_000_000))", "test_the_plugin_module_keeps_its_import_budget"),
    (
        "import socket\nwith socket.socket() as s: s.connect_ex(('127.0.0.1', 9))",
        "test_importing_the_plugin_module_uses_no_network",
    ),
    (
        "import threading, time; threading.Thread(target=time.sleep, args=(0.5,)).start()",
        "test_importing_the_plugin_module_starts_no_threads_and_processes",
    ),
    (
        "import os; os.system('true')",
        "test_importing_the_plugin_module_starts_no_threads_and_processes",
    ),
    ("print('hello')", "test_importing_the_plugin_module_and_asking_it_prints_nothing"),
    ("", "test_the_plugin_module_has_hooks_and_only_known_ones"),
    ("@hookimpl\ndef artefact_repo(uri): ...", "test_the_plugin_module_has_hooks_and_only_known_ones"),
    ("@hookimpl\ndef artifact_repo(uri, color): ...", "test_the_hooks_want_no_argument_that_the_specification_lacks"),
    ("@hookimpl\ndef artifact_repo(uri): return object()", "test_a_foreign_key_is_answered_with_none"),
    ("@hookimpl\ndef flavor(name): raise KeyError(name)", "test_a_foreign_key_is_answered_with_none"),
]


@pytest.mark.parametrize(("text", "test"), FAULTS, ids=[f"{test[5:]}-{n}" for n, (_, test) in enumerate(FAULTS)])
def test_a_faulty_plugin_module_is_caught(
    text: str, test: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    name = f"faulty_plugin_{abs(hash((text, test)))}"
    (tmp_path / f"{name}.py").write_text(HOOK + text + "\n")

    imported: Imported = import_alone(name)

    with pytest.raises(AssertionError):
        getattr(PluginModuleContract(), test)(imported)
