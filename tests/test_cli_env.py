"""`mlcore env`: environments are listed, shown, pruned and removed, with a manager whose environments are folders."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mlcore.projects.environment_folders import READY, EnvironmentFolders

Run = Callable[..., subprocess.CompletedProcess[str]]

MANAGER = """
from mlcore.hookspecs import hookimpl

@hookimpl
def environment(name):
    if name != "folders":
        return None
    from mlcore.projects.cache import cache_directory
    from mlcore.projects.environment_folders import EnvironmentFolders

    class Manager(EnvironmentFolders):
        create = command = None
        list, describe = EnvironmentFolders.ids, EnvironmentFolders.record

        def lock(self, env_id):
            return ("tiny==1.0",)

    return Manager(cache_directory() / "folders")
"""


@pytest.fixture
def folders(tmp_path: Path) -> EnvironmentFolders:
    """Two environments: `aa11`, made now, and `ab22`, last used 40 days ago."""
    info = tmp_path / "site" / "acme_folders-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-folders\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mlcore.environment]\nfolders = acme_folders\n")
    (tmp_path / "site" / "acme_folders.py").write_text(MANAGER)
    made = EnvironmentFolders(tmp_path / "cache" / "folders")
    for name in ("aa11", "ab22"):
        EnvironmentFolders(made.root).make(name, _build)
    old = time.time() - 40 * 86400
    os.utime(made.root / "ab22" / READY, (old, old))
    return made


def _build(directory: Path) -> dict[str, object]:
    directory.mkdir()
    (directory / "file").write_text("x" * 1000)
    return {"python": "3.11.7", "requirements": ["tiny>=1"]}


@pytest.fixture
def mlcore(tmp_path: Path) -> Run:
    def run(*arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLCORE_", "MLFLOW_"))}
        own = {"MLCORE_CACHE_DIR": str(tmp_path / "cache"), "MLCORE_PLUGINS": "acme-folders"}
        return subprocess.run(
            [sys.executable, "-m", "mlcore.cli", "env", *arguments],
            cwd=tmp_path,
            env={**kept, **own, "PYTHONPATH": str(tmp_path / "site")},
            input=answer,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.mark.usefixtures("folders")
def test_environments_are_listed_with_sizes_the_one_used_last_first(mlcore: Run) -> None:
    found = [json.loads(line) for line in mlcore("list", "--json").stdout.splitlines()]

    assert [(each["manager"], each["env_id"]) for each in found] == [("folders", "aa11"), ("folders", "ab22")]
    assert all(each["size_bytes"] >= 1000 and each["requirements"] == ["tiny>=1"] for each in found)
    assert mlcore("list").stdout.splitlines()[0].split("\t")[:3] == ["manager", "env_id", "python"]


@pytest.mark.usefixtures("folders")
def test_one_is_shown_by_the_start_of_its_id_with_what_is_installed(mlcore: Run) -> None:
    assert json.loads(mlcore("show", "ab", "--json").stdout)["lock"] == ["tiny==1.0"]
    assert "several environments begin with 'a': aa11, ab22" in mlcore("show", "a").stderr


def test_those_that_nobody_used_for_long_are_pruned(mlcore: Run, folders: EnvironmentFolders) -> None:
    done = mlcore("prune", "--older-than", "30d", "--yes")

    assert (done.returncode, done.stdout) == (0, "ab22\n")
    assert folders.ids() == ("aa11",)


def test_nothing_is_removed_without_a_yes(mlcore: Run, folders: EnvironmentFolders) -> None:
    assert mlcore("prune", "--all", answer="n\n").returncode == 130
    assert folders.ids() == ("aa11", "ab22")
    assert mlcore("prune", "--all", answer="y\n").returncode == 0
    assert folders.ids() == ()


def test_one_in_use_stays_and_is_told(mlcore: Run, folders: EnvironmentFolders) -> None:
    folders.use("aa11")

    pruned = mlcore("prune", "--all", "--yes", "--json")
    removed = mlcore("remove", "aa11", "--yes")

    found = {each["env_id"]: each["removed"] for each in map(json.loads, pruned.stdout.splitlines())}
    assert found == {"aa11": False, "ab22": True}
    assert (pruned.returncode, removed.returncode) == (0, 1)
    assert "'aa11' is in use" in removed.stderr


@pytest.mark.usefixtures("folders")
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("remove", "zz", "-y"), 1, "no environment begins with 'zz': aa11, ab22"),
        (("prune", "--older-than", "3x"), 1, "invalid span '3x'"),
        (("prune", "--older-than", "3d", "--all"), 2, "either --all or --older-than"),
        (("list", "--manager", "nope"), 1, "'nope'"),
    ],
)
def test_misuse_is_told(mlcore: Run, arguments: tuple[str, ...], code: int, words: str) -> None:
    done = mlcore(*arguments)

    assert done.returncode == code
    assert words in done.stderr
