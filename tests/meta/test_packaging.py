"""Each plugin is a distribution of its own, made by one rule; the kernel stays small."""

from __future__ import annotations

import ast
import importlib
import re
import tomllib
from pathlib import Path

import pytest
import sourcecode

ROOT = sourcecode.ROOT
FOLDERS = sourcecode.plugin_folders()
HOOK_GROUPS = re.compile(r"^mlcore(\.[a-z_]+)?$")
PINNED = "mlcore-kernel>=0.1,<0.2"
KERNEL_DEPENDENCIES = {
    "pluggy",
    "attrs",
    "cattrs",
    "click",
    "pyyaml",
    "importlib-metadata",
    "starlette",
    "cloudpickle",
}

each_plugin = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def _manifest(folder: Path) -> dict[str, dict]:
    return tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))


def _name(requirement: str) -> str:
    return re.split(r"[\s\[<>=!~;@]", requirement.strip(), maxsplit=1)[0].lower()


def test_the_kernel_depends_on_exactly_the_eight_libraries() -> None:
    names = [_name(line) for line in _manifest(ROOT)["project"]["dependencies"]]

    assert sorted(names) == sorted(KERNEL_DEPENDENCIES)


def test_the_kernel_caps_no_dependency() -> None:
    capped = [
        line for line in _manifest(ROOT)["project"]["dependencies"] if "<" in line or "==" in line or "~=" in line
    ]

    assert not capped, "\n".join(capped)


def test_the_version_is_written_the_same_everywhere() -> None:
    root = _manifest(ROOT)["project"]["version"]

    in_code = re.search(r'^__version__ = "(.+)"$', (ROOT / "mlcore" / "__init__.py").read_text("utf-8"), re.MULTILINE)
    in_plugins = {folder.name: _manifest(folder)["project"]["version"] for folder in FOLDERS}

    assert in_code is not None
    assert in_code[1] == root
    assert in_plugins == dict.fromkeys(in_plugins, root)


def test_the_local_extra_brings_first_party_plugins_within_the_kernels_versions() -> None:
    known = {f"mlcore-{folder.name.replace('_', '-')}" for folder in FOLDERS}

    local = [
        line for line in _manifest(ROOT)["project"]["optional-dependencies"]["local"] if "mlcore-kernel" not in line
    ]

    assert {_name(line) for line in local} <= known
    assert all(line.endswith(">=0.1,<0.2") for line in local)


def test_every_plugin_is_a_source_of_the_workspace() -> None:
    sources = _manifest(ROOT)["tool"]["uv"]["sources"]

    missing = {f"mlcore-{folder.name.replace('_', '-')}" for folder in FOLDERS} - set(sources)

    assert missing == set()


@each_plugin
def test_a_plugins_names_follow_from_its_folder(folder: Path) -> None:
    project = _manifest(folder)["project"]

    assert project["name"] == f"mlcore-{folder.name.replace('_', '-')}"
    assert [path.name for path in (folder / "src").iterdir() if path.is_dir() and path.name.startswith("mlcore")] == [
        f"mlcore_{folder.name}"
    ]


@each_plugin
def test_a_plugins_manifest_says_what_a_user_asks(folder: Path) -> None:
    project = _manifest(folder)["project"]

    assert project["description"].strip()
    assert project["readme"] == "README.md"
    assert project["license"] == "Apache-2.0"
    assert project["requires-python"] == ">=3.11"
    assert _manifest(folder)["build-system"]["build-backend"] == "hatchling.build"


@each_plugin
def test_a_plugin_pins_the_kernel_and_needs_no_other_plugin(folder: Path) -> None:
    dependencies = _manifest(folder)["project"]["dependencies"]

    ours = [line for line in dependencies if _name(line).startswith("mlcore")]

    assert ours == [PINNED]


@each_plugin
def test_a_plugin_has_a_readme_types_and_tests(folder: Path) -> None:
    readme = (folder / "README.md").read_text("utf-8")

    assert readme.startswith(f"# mlcore-{folder.name.replace('_', '-')}")
    assert len(readme.splitlines()) > 5
    assert (folder / "src" / f"mlcore_{folder.name}" / "py.typed").is_file()
    assert list((folder / "tests").glob(f"test_{folder.name}*.py"))


@each_plugin
def test_a_plugins_entry_points_resolve_to_hookimpls(folder: Path) -> None:
    from mlcore.hookspecs import PROJECT
    from mlcore.plugins import hook_names

    entry_points = _manifest(folder)["project"]["entry-points"]

    for group, entries in entry_points.items():
        assert HOOK_GROUPS.match(group), group
        hook = group.partition(".")[2]
        for value in entries.values():
            module = importlib.import_module(value)
            if hook == "bridge":  # no hook: it brings entries to the index
                assert all(callable(getattr(module, name)) for name in ("installed", "plugin", "load"))
                continue
            marked = {name for name, item in vars(module).items() if hasattr(item, f"{PROJECT}_impl")}
            assert marked, f"{value} marks nothing with hookimpl"
            assert marked <= set(hook_names())
            assert not hook or hook in marked


@each_plugin
def test_a_plugins_tests_are_runnable_in_one_process_with_all_others(folder: Path) -> None:
    names = [path.name for other in FOLDERS for path in (other / "tests").glob("test_*.py")]
    names += [path.name for path in (ROOT / "tests").rglob("test_*.py")]

    assert sorted(names) == sorted(set(names))


def test_a_protocol_asks_for_at_most_fifteen_methods() -> None:
    large = []
    for source in sourcecode.kernel():
        if source.part != "interfaces":
            continue
        for node in source.tree.body:
            if isinstance(node, ast.ClassDef) and any("Protocol" in ast.unparse(base) for base in node.bases):
                methods = [item for item in node.body if isinstance(item, ast.FunctionDef)]
                large += [f"{node.name}: {len(methods)}"] if len(methods) > 15 else []

    assert not large, "\n".join(large)
