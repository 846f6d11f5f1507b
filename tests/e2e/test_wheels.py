"""What the wheels hold: built as a release builds them, without a network. `make wheels` installs and runs them."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
import sourcecode

ROOT = sourcecode.ROOT
FOLDERS = (ROOT, *sourcecode.plugin_folders())


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, zipfile.ZipFile]:
    """The wheels by the import name of their package."""
    dist = tmp_path_factory.mktemp("dist")
    for folder in FOLDERS:
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(dist)],
            cwd=folder,
            env={**os.environ, "HATCH_QUIET": "2"},
            check=True,
            capture_output=True,
            timeout=120,
        )
    return {_package(path): zipfile.ZipFile(path) for path in dist.glob("*.whl")}


def _package(wheel: Path) -> str:
    name = wheel.name.partition("-")[0]
    return "mlcore" if name == "mlcore_kernel" else name


def _metadata(wheel: zipfile.ZipFile) -> Message:
    name = next(n for n in wheel.namelist() if n.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode("utf-8"))


def test_there_is_one_wheel_per_distribution(wheels: dict[str, zipfile.ZipFile]) -> None:
    assert set(wheels) == {"mlcore", *(f"mlcore_{folder.name}" for folder in sourcecode.plugin_folders())}


def test_a_wheel_holds_its_own_package_and_nothing_else(wheels: dict[str, zipfile.ZipFile]) -> None:
    for package, wheel in wheels.items():
        tops = {name.partition("/")[0] for name in wheel.namelist()}

        assert {top for top in tops if not top.endswith(".dist-info")} == {package}


def test_a_wheel_holds_every_module_of_its_package(wheels: dict[str, zipfile.ZipFile]) -> None:
    for source in (*sourcecode.kernel(), *sourcecode.plugins()):
        root = ROOT if source.package == "mlcore" else next(p for p in source.path.parents if p.name == "src")

        assert source.path.relative_to(root).as_posix() in wheels[source.package].namelist()


def test_a_wheel_says_that_it_is_typed(wheels: dict[str, zipfile.ZipFile]) -> None:
    for package, wheel in wheels.items():
        assert f"{package}/py.typed" in wheel.namelist()


def test_a_wheel_holds_no_tests_and_no_caches(wheels: dict[str, zipfile.ZipFile]) -> None:
    for wheel in wheels.values():
        names = [n for n in wheel.namelist() if not n.endswith(".tmpl")]  # the templates of plugins have tests
        strange = [n for n in names if "/tests/" in n or "__pycache__" in n or n.endswith((".pyc", ".db"))]

        assert not strange


def test_the_kernels_wheel_holds_its_licence_and_its_list_of_known_plugins(wheels: dict[str, zipfile.ZipFile]) -> None:
    names = wheels["mlcore"].namelist()

    assert "mlcore/known_plugins.json" in names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_no_wheel_refers_to_the_place_where_it_was_built(wheels: dict[str, zipfile.ZipFile]) -> None:
    for wheel in wheels.values():
        requirements = _metadata(wheel).get_all("Requires-Dist") or []

        assert not [line for line in requirements if "@" in line or "file:" in line]
        assert not [name for name in wheel.namelist() if str(ROOT).encode() in wheel.read(name)]


def test_a_plugins_wheel_needs_the_kernel_by_its_own_name(wheels: dict[str, zipfile.ZipFile]) -> None:
    for package, wheel in wheels.items():
        requirements = _metadata(wheel).get_all("Requires-Dist") or []
        ours = [line for line in requirements if line.startswith("mlcore") and "extra" not in line]

        assert package == "mlcore" or ours == ["mlcore-kernel<0.2,>=0.1"]
