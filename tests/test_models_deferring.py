"""A library that another one imports early is imported when it is used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from mlcore.models.deferring import deferred

NAME = "deferred_library"


@pytest.fixture(autouse=True)
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    package = tmp_path / NAME
    package.mkdir()
    (package / "__init__.py").write_text("answer = 42\n")
    (package / "inner.py").write_text("from . import answer\n")
    (tmp_path / "early_user.py").write_text(f"import {NAME} as library\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [name for name in sys.modules if name.split(".")[0] in (NAME, "early_user")]:
        del sys.modules[name]


def used_early() -> ModuleType:
    with deferred(NAME):
        importlib.import_module("early_user")
    found: ModuleType = sys.modules["early_user"].library
    return found


def test_who_imports_it_in_the_block_imports_nothing_yet() -> None:
    used_early()

    assert NAME not in sys.modules


def test_it_is_imported_when_an_attribute_is_asked_for() -> None:
    assert used_early().answer == 42
    assert sys.modules[NAME].answer == 42


def test_it_is_one_module_for_those_who_import_it_later() -> None:
    early, later = used_early(), importlib.import_module(NAME)
    later.answer = 43  # type: ignore[attr-defined]  # of the module

    assert early.answer == 43


def test_it_is_imported_at_once_for_who_takes_names_or_parts_out_of_it(tmp_path: Path) -> None:
    (tmp_path / "early_user.py").write_text(f"from {NAME} import answer\nimport {NAME}.inner as library\n")

    assert used_early().answer == 42
    assert sys.modules[NAME].answer == 42


def test_what_it_lacks_is_missing() -> None:
    with pytest.raises(AttributeError, match=f"module '{NAME}' has no attribute 'question'"):
        _ = used_early().question


def test_what_is_imported_already_stays_in_its_place() -> None:
    before = importlib.import_module(NAME)

    assert used_early() is before
    assert sys.modules[NAME] is before


def test_what_is_not_installed_is_not_found() -> None:
    with deferred("no_such_library"), pytest.raises(ModuleNotFoundError, match="no_such_library"):
        importlib.import_module("no_such_library")


def test_a_block_that_fails_leaves_nothing_behind() -> None:
    with pytest.raises(ZeroDivisionError), deferred(NAME):
        _ = 1 / 0

    assert NAME not in sys.modules
