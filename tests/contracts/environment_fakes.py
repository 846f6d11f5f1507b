"""A plugin for tests: environments that are files in a directory which processes share; one name per way of breaking it."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path

from mlcore.errors import NotFoundError
from mlcore.hookspecs import hookimpl
from mlcore.interfaces import EnvironmentManager, EnvironmentSpec
from mlcore.projects.cache import cache_directory
from mlcore.projects.environment_folders import EnvironmentFolders
from mlcore.projects.environment_ids import env_id as id_of

FAULTS = ("good", "halves", "unlocked")
_WINDOW_S = 0.05  # how long a fault is open to others


@hookimpl
def environment(name: str) -> EnvironmentManager | None:
    if name not in FAULTS:
        return None
    root = cache_directory() / name
    return {"good": Kept, "halves": Halves, "unlocked": Unlocked}[name](root)


class Kept:
    """Environments whose libraries are lines of a file, in folders of the kernel."""

    def __init__(self, root: Path) -> None:
        self.folders = EnvironmentFolders(root)

    def create(self, spec: EnvironmentSpec) -> str:
        env_id = id_of("fake", spec, "3")

        def build(directory: Path) -> Mapping[str, object]:
            _fill(directory, spec)
            return {"requirements": list(spec.requirements)}

        self.folders.make(env_id, build)
        return env_id

    def command(self, env_id: str, argv: tuple[str, ...]) -> tuple[str, ...]:
        self.folders.use(env_id)
        return (sys.executable, *argv[1:]) if argv[:1] == ("python",) else argv

    def lock(self, env_id: str) -> tuple[str, ...]:
        return tuple((self.folders.find(env_id) / "lines").read_text().split())

    def list(self) -> tuple[str, ...]:
        return self.folders.ids()

    def remove(self, env_id: str) -> None:
        self.folders.remove(env_id)

    def describe(self, env_id: str) -> object:
        return self.folders.record(env_id)


class Halves(Kept):
    """A directory that exists counts as whole."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.root = root

    def create(self, spec: EnvironmentSpec) -> str:
        env_id = id_of("fake", spec, "3")
        if not (self.root / env_id).exists():
            _fill(self.root / env_id, spec)
        return env_id

    def command(self, env_id: str, argv: tuple[str, ...]) -> tuple[str, ...]:
        self.lock(env_id)
        return (sys.executable, *argv[1:])

    def lock(self, env_id: str) -> tuple[str, ...]:
        if not (self.root / env_id).exists():
            raise NotFoundError(f"no environment {env_id!r}")
        return tuple((self.root / env_id / "lines").read_text().split())

    def list(self) -> tuple[str, ...]:
        return tuple(sorted(each.name for each in self.root.glob("*")))

    def remove(self, env_id: str) -> None:
        for each in (self.root / env_id).glob("*"):
            each.unlink()
        (self.root / env_id).rmdir()


class Unlocked(Halves):
    """Everybody who finds none that is whole makes one."""

    def create(self, spec: EnvironmentSpec) -> str:
        env_id = id_of("fake", spec, "3")
        if not (self.root / env_id / "whole").exists():
            _fill(self.root / env_id, spec)
            (self.root / env_id / "whole").touch()
        return env_id


def _fill(directory: Path, spec: EnvironmentSpec) -> None:
    directory.mkdir(parents=True)
    names = [line.partition("=")[0] for line in (*spec.build_requirements, *spec.requirements)]
    with (directory / "lines").open("w", buffering=1) as file:
        for name in sorted(names):
            time.sleep(_WINDOW_S)
            file.write(f"{name}==1.0\n")
            time.sleep(_WINDOW_S)
