"""Plugins that were built for one version of the kernel, installed beside another one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import sourcecode

from mlcore.scaffold import generate

Run = Callable[..., subprocess.CompletedProcess[str]]

OLD = """
from mlcore.hookspecs import hookimpl

@hookimpl
def artifact_repo(uri):
    if not uri.startswith("old:"):
        return None
    from mlcore.testing import MemoryRepo
    return MemoryRepo()

@hookimpl
def tracking_store(uri, artifact_root):
    if not uri.startswith("old:"):
        return None
    from mlcore.testing import MemoryTrackingStore
    return MemoryTrackingStore()

@hookimpl
def run_context():
    return {"acme.old": "1"}
"""
POINTS = """
[project.entry-points."mlcore.artifact_repo"]
old = "acme_old.plugin"

[project.entry-points."mlcore.tracking_store"]
old = "acme_old.plugin"

[project.entry-points."mlcore.run_context"]
old = "acme_old.plugin"
"""
# What a later kernel does to its hooks: an argument more, an argument and a hook that are to go.
LATER = {
    "def artifact_repo(self, uri: str)": "def artifact_repo(self, uri: str, read_only: bool)",
    "    @hookspec(firstresult=True)\n    def tracking_store(": """    @hookspec(
        firstresult=True,
        warn_on_impl_args={
            "artifact_root": deprecated(
                "argument 'artifact_root' of hook 'tracking_store'",
                since="0.2", removed_in="0.4", instead="read the setting artifact_root",
            )
        },
    )
    def tracking_store(""",
    "    @hookspec\n    def run_context(": """    @hookspec(
        warn_on_impl=deprecated("hook 'run_context'", since="0.2", removed_in="0.4", instead="implement 'place'")
    )
    def run_context(""",
    "PROJECT = ": "from mlcore.errors import deprecated\n\nPROJECT = ",
}
OPEN_BOTH = """
from mlcore.hookspecs import HookSpecs
from mlcore.plugins import current
print(type(current().first(HookSpecs.artifact_repo, uri="old:/x", read_only=True)).__name__)
import mlcore
mlcore.set_tracking_uri("old:/x")
with mlcore.start_run() as run: pass
print(mlcore.get_run(run.info.run_id).data.tags["acme.old"])
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plugin's wheel, built when the kernel had version 0.1."""
    folder = generate("artifact_repo", "acme-old", tmp_path_factory.mktemp("vendor"), key="old")
    manifest = folder / "pyproject.toml"
    text = manifest.read_text("utf-8")
    start = text.index("# Group: the hook.")
    end = text.index("[tool.hatch", start)
    text = text[:start] + POINTS + "\n" + text[end:]
    manifest.write_text(text.replace("mlcore-kernel>=0.1,<0.2", "mlcore-kernel>=0.1,<0.4"), "utf-8")
    (folder / "src" / "acme_old" / "plugin.py").write_text(OLD, "utf-8")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")],
        cwd=folder,
        env={**os.environ, "HATCH_QUIET": "2"},
        check=True,
        capture_output=True,
        timeout=120,
    )
    (built,) = (folder / "dist").glob("*.whl")
    return built


@pytest.fixture
def beside(tmp_path: Path, wheel: Path) -> Callable[[str], Run]:
    """Return what installs the wheel beside a kernel of another version, with that kernel's hooks."""

    def install(version: str) -> Run:
        site = tmp_path / "site"
        shutil.copytree(sourcecode.ROOT / "mlcore", site / "mlcore", ignore=shutil.ignore_patterns("__pycache__"))
        with zipfile.ZipFile(wheel) as file:
            file.extractall(site)
        home = site / "mlcore" / "__init__.py"
        home.write_text(home.read_text("utf-8").replace('__version__ = "0.1.0"', f'__version__ = "{version}"'), "utf-8")
        specs = site / "mlcore" / "hookspecs.py"
        text = specs.read_text("utf-8")
        for old, new in LATER.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        specs.write_text(text, "utf-8")

        def run(*arguments: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, *arguments],
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": str(site), "MLCORE_PLUGINS": "acme-old"},
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )

        return run

    return install


def test_an_old_plugin_works_beside_a_kernel_whose_hooks_have_more_arguments(beside: Callable[[str], Run]) -> None:
    run = beside("0.2.0")

    done = run("-c", OPEN_BOTH)

    assert (done.returncode, done.stdout) == (0, "MemoryRepo\n1\n"), done.stderr


def test_an_old_plugin_is_told_what_is_to_go_since_when_until_when_and_what_to_use(
    beside: Callable[[str], Run],
) -> None:
    run = beside("0.2.0")

    done = run("-W", "default::DeprecationWarning", "-c", OPEN_BOTH)

    said = [line for line in done.stderr.splitlines() if "HookDeprecationWarning" in line]
    ends = sorted(line.partition("plugin acme-old 0.1.0 ")[2].partition("): ")[2] for line in said)
    assert done.returncode == 0, done.stderr
    assert ends == [
        "argument 'artifact_root' of hook 'tracking_store' is deprecated since mlcore 0.2 and will be removed in "
        "mlcore 0.4: read the setting artifact_root",
        "hook 'run_context' is deprecated since mlcore 0.2 and will be removed in mlcore 0.4: implement 'place'",
    ]
    assert all("acme_old/plugin.py" in line for line in said)


def test_check_tells_what_is_to_go_and_goes_on(beside: Callable[[str], Run]) -> None:
    run = beside("0.2.0")

    done = run("-m", "mlcore.cli", "plugins", "check", "acme-old", "--json")

    assert done.returncode == 0, done.stderr
    assert done.stdout.count('"status": "warning"') == 3
    assert "argument 'artifact_root' of hook 'tracking_store' is deprecated since mlcore 0.2" in done.stdout


@pytest.mark.parametrize(
    ("kernel", "fix"), [("0.4.0", "pip install -U acme-old"), ("0.0.9", "pip install -U mlcore-kernel")]
)
def test_a_plugin_for_another_kernel_is_refused_before_its_import_and_says_which_side_to_upgrade(
    beside: Callable[[str], Run], tmp_path: Path, kernel: str, fix: str
) -> None:
    run = beside(kernel)
    (tmp_path / "site" / "acme_old" / "plugin.py").write_text("raise AssertionError('it was imported')")

    opened = run("-c", OPEN_BOTH)
    listed = run("-m", "mlcore.cli", "plugins", "list")

    wanted = f"mlcore-kernel>=0.1,<0.4, but mlcore-kernel {kernel} is installed: {fix}"
    plain = opened.stderr.splitlines()[-1].replace("<0.4,>=0.1", ">=0.1,<0.4")
    assert opened.returncode == 1
    assert "PluginVersionError: plugin acme-old 0.1.0 (entry point old = acme_old.plugin" in plain
    assert plain.endswith(wanted)
    assert listed.returncode == 0
    assert fix in listed.stderr
    assert "it was imported" not in opened.stderr + listed.stderr
