"""The folders of an `mlruns` tree: what is in them, and nothing that leads out of it.

Names of folders and files are data: they are compared and shown, never trusted as paths.
"""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from mlcore.errors import InvalidParameterError, StoreUnavailableError
from mlcore_store_file.mlruns_yaml import read_meta

META = "meta.yaml"
TRASH = ".trash"
MODELS = "models"
METRICS, PARAMS, TAGS, INPUTS, OUTPUTS, DATASETS = "metrics", "params", "tags", "inputs", "outputs", "datasets"
ARTIFACTS = "artifacts"
# Folders of an experiment that are no runs.
RESERVED = frozenset({TAGS, DATASETS, "traces", MODELS})
_NAME_BYTES = 255
_SINGLE = re.compile(r"[^/\\\x00]+")
_LOOKED_AT = 50
_READ = 1 << 16  # most files are far smaller, and one read takes them whole

logger: logging.Logger = logging.getLogger("mlcore.store_file")


class FoundFile(NamedTuple):
    """A file below a folder, with what tells whether it has changed.

    key: the path below the folder, with slashes. mark: inode, size, time of the last change in ns.
    """

    key: str
    path: str
    mark: tuple[int, int, int]


def holds_mlruns(root: Path) -> bool:
    """Tell by its content whether *root* is a tree that MLflow keeps runs or registered models in."""
    for below, keys in ((root, ("experiment_id",)), (root / TRASH, ("experiment_id",)), (root / MODELS, ("name",))):
        for folder in _folders_with_meta(below):
            try:
                meta = read_meta((folder / META).read_text(encoding="utf-8"), str(folder / META))
            except (OSError, ValueError):  # one that is broken says nothing
                continue
            if all(key in meta for key in keys):
                return True
    return False


def _folders_with_meta(below: Path) -> Iterator[Path]:
    try:
        names = sorted(os.listdir(below))
    except OSError:
        return
    for name in names[:_LOOKED_AT]:
        if (below / name / META).is_file():
            yield below / name


def check_key(key: str, what: str) -> None:
    """Refuse a key that is no file name below its folder.

    Raises InvalidParameterError: a name in it is `..`, empty, or longer than 255 bytes.
    """
    for part in key.split("/"):
        if part in ("", ".", "..") or not _SINGLE.fullmatch(part) or len(part.encode()) > _NAME_BYTES:
            raise InvalidParameterError(
                f"MLflow's file layout cannot keep {what} {key[:80]!r}: each of its names between slashes becomes a file "
                f"name and needs 1 to {_NAME_BYTES} bytes; choose another name or another store"
            )


class Tree:
    """An `mlruns` folder; everything in it is looked for through this class."""

    def __init__(self, root: Path) -> None:
        """Use *root*; a link to it is followed once, here."""
        self.root: str = os.path.realpath(root)
        self.trash: str = os.path.join(self.root, TRASH)
        self.models: str = os.path.join(self.root, MODELS)
        self._reported: set[tuple[str, str]] = set()

    def report(self, path: str, fault: str) -> None:
        """Warn of what cannot be used, once for each path and fault."""
        if (path, fault) not in self._reported:
            self._reported.add((path, fault))
            logger.warning("%s %s", path, fault)

    def experiments(self) -> Iterator[tuple[str, str]]:
        """Yield name and path of each folder that may be an experiment, active ones first."""
        for parent in (self.root, self.trash):
            for name, path in self.folders(parent):
                if name not in (TRASH, MODELS):
                    yield name, path

    def experiment(self, experiment_id: str) -> str | None:
        """Return the folder of an experiment, active or deleted."""
        if experiment_id in (TRASH, MODELS):
            return None
        return self.folder(self.root, experiment_id) or self.folder(self.trash, experiment_id)

    def is_deleted(self, folder: str) -> bool:
        """Whether an experiment's folder is in the bin; the place decides, not what its file says."""
        return os.path.dirname(folder) == self.trash

    def folder(self, parent: str, name: str) -> str | None:
        """Return the path of the folder *name* right below *parent*; None when there is none."""
        if name in (".", "..") or not _SINGLE.fullmatch(name):
            return None
        path = os.path.join(parent, name)
        try:
            mode = os.lstat(path).st_mode
        except (OSError, ValueError):
            return None
        if stat.S_ISLNK(mode):
            return path if self._stays_inside(path) and os.path.isdir(path) else None
        return path if stat.S_ISDIR(mode) else None

    def folders(self, parent: str) -> list[tuple[str, str]]:
        """Return name and path of the folders right below *parent*, by name."""
        found = [(entry.name, entry.path) for entry in self._entries(parent) if entry.is_dir()]
        return sorted(found)

    def files(self, folder: str, prefix: str = "") -> list[FoundFile]:
        """Return the files below *folder*, those in folders of it included."""
        found: list[FoundFile] = []
        for entry in self._entries(folder):
            if entry.is_dir(follow_symlinks=False):
                found += self.files(entry.path, f"{prefix}{entry.name}/")
                continue
            try:
                seen = entry.stat()
            except FileNotFoundError:  # removed this moment
                continue
            if stat.S_ISREG(seen.st_mode):
                found.append(FoundFile(prefix + entry.name, entry.path, mark_of(seen)))
        return found

    def files_of(self, folder: str, name: str) -> list[FoundFile]:
        """Return the file *name* right below *folder*, if it is there."""
        path = os.path.join(folder, name)
        try:
            return [FoundFile(name, path, mark_of(os.stat(path)))]
        except OSError:
            return []

    def text(self, path: str) -> str:
        """Return a file's text as it is; bytes that are no UTF-8 are replaced, and reported."""
        data = self.data(path)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            self.report(path, "is not UTF-8: what cannot be read is shown as '\ufffd'")
            return data.decode("utf-8", errors="replace")

    def texts(self, files: Iterable[FoundFile], folder: str = "") -> dict[str, str]:
        """Return key and text of the files, sorted; those below *folder* alone, and from there on, when it is given."""
        found = {}
        prefix = f"{folder}/" if folder else ""
        for file in files:
            if file.key.startswith(prefix):
                try:
                    found[file.key[len(prefix) :]] = self.text(file.path)
                except FileNotFoundError:  # removed this moment
                    continue
        return dict(sorted(found.items()))

    def data(self, path: str) -> bytes:
        """Return a file's bytes. Raises FileNotFoundError; StoreUnavailableError: it cannot be read now."""
        try:
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe of that name blocks nobody
            try:
                data = os.read(file, _READ)
                parts = [data]
                while len(data) == _READ:
                    data = os.read(file, _READ)
                    parts.append(data)
            finally:
                os.close(file)
        except FileNotFoundError:
            raise
        except OSError as err:
            raise StoreUnavailableError(f"cannot read {path!r}: {err.strerror or err}") from err
        return b"".join(parts)

    def meta(self, folder: str) -> dict[str, object] | None:
        """Return the content of a folder's `meta.yaml`; None when there is none, or it cannot be read, which is reported."""
        path = os.path.join(folder, META)
        if os.path.islink(path) and not self._stays_inside(path):
            return None
        try:
            text = self.text(path)
        except FileNotFoundError:
            return None
        try:
            return read_meta(text, path)
        except ValueError as err:
            self.report(path, f"cannot be read, so what it describes is left out: {err}")
            return None

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as listing:
                found = list(listing)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as err:
            raise StoreUnavailableError(f"cannot list {folder!r}: {err.strerror or err}") from err
        return [entry for entry in found if not entry.is_symlink() or self._stays_inside(entry.path)]

    def _stays_inside(self, path: str) -> bool:
        real = os.path.realpath(path)
        if real.startswith(self.root + os.sep):
            return True
        self.report(path, "is a link that leads out of the tree: it is not followed")
        return False


def mark_of(seen: os.stat_result) -> tuple[int, int, int]:
    """Return what tells whether a file has changed."""
    return seen.st_ino, seen.st_size, seen.st_mtime_ns
