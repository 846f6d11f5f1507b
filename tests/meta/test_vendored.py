"""The libraries of the web UI are the files that VENDOR.lock names, unchanged."""

from __future__ import annotations

import hashlib
import json

import sourcecode

PLUGIN = sourcecode.ROOT / "plugins/ui"
FOLDERS = (PLUGIN / "src/mlcore_ui/static/vendor", PLUGIN / "tests/vendor")


def test_the_libraries_are_those_of_the_lock() -> None:
    packages = json.loads((PLUGIN / "VENDOR.lock").read_text(encoding="utf-8"))["packages"]
    locked = {path: sha for package in packages.values() for path, sha in package["files"].items()}

    found = {
        path.relative_to(PLUGIN).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in FOLDERS
        for path in folder.iterdir()
    }

    assert found == locked


def test_every_library_comes_with_its_licence() -> None:
    packages = json.loads((PLUGIN / "VENDOR.lock").read_text(encoding="utf-8"))["packages"]

    without = [name for name, one in packages.items() if not any("LICENSE" in path for path in one["files"])]

    assert without == []
