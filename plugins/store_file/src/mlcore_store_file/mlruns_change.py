"""Changes of several files of an `mlruns` tree that happen as one, and the locks that keep them apart.

A folder is locked as such (`flock`), so no file of ours appears in the tree. A change of more than one file is first
written down in a file `.mlcore-change` of the folder; who finds that file and can lock the folder knows that its writer
died, and finishes the change. MLflow knows neither: it does not wait for us, and it never sees these files, because it
looks for folders there only.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Sequence

from mlcore.errors import InvalidParameterError, StoreUnavailableError
from mlcore_store_file.mlruns_tree import logger

_CHANGE = ".mlcore-change"
_TEMPORARY = ".mlcore-tmp"
_LOCK = ".mlcore.lock"
_NO_LOCK_ON_FOLDERS = (errno.EBADF, errno.EINVAL, errno.EISDIR)


@contextlib.contextmanager
def alone(folder: str) -> Iterator[None]:
    """Hold *folder* against all others of mlcore, with no change of it unfinished."""
    with _locked(folder, fcntl.LOCK_EX):
        _finish(folder)
        yield


@contextlib.contextmanager
def together(folder: str) -> Iterator[None]:
    """Hold *folder* so that nobody changes it, with no change of it unfinished."""
    while True:
        with _locked(folder, fcntl.LOCK_SH):
            if not os.path.exists(os.path.join(folder, _CHANGE)):
                yield
                return
        with alone(folder):
            pass


@contextlib.contextmanager
def _locked(folder: str, kind: int) -> Iterator[None]:
    try:
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as err:
        raise _unavailable("open", folder, err) from err
    try:
        try:
            fcntl.flock(place, kind)
        except OSError as err:
            if err.errno not in _NO_LOCK_ON_FOLDERS:
                raise _unavailable("lock", folder, err) from err
            os.close(place)  # NFS locks only files that can be written
            place = os.open(os.path.join(folder, _LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            fcntl.flock(place, kind)
        yield
    finally:
        os.close(place)


class Change:
    """Steps below one folder, which the caller holds alone; paths are relative to it."""

    def __init__(self, folder: str) -> None:
        """Begin with no step."""
        self._folder = folder
        self._steps: list[list[object]] = []

    def write(self, path: str, text: str) -> None:
        """Replace or create a file."""
        self._refuse_clash(path)
        self._steps.append(["write", path, text])

    def append(self, path: str, lines: Sequence[str]) -> None:
        """Add whole lines to a file."""
        self._refuse_clash(path)
        self._steps.append(["append", path, list(lines)])

    def make(self, path: str) -> None:
        """Create a folder, if it is not there."""
        self._steps.append(["make", path])

    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""
        self._steps.append(["remove", path])

    def move(self, path: str, to: str) -> None:
        """Rename a file or folder; steps after this one name it by where it is then."""
        self._steps.append(["move", path, to])

    def drop(self, path: str) -> None:
        """Remove a folder with everything in it."""
        self._steps.append(["drop", path])

    def commit(self) -> None:
        """Do the steps: all, also when this process dies in between, or none.

        Raises StoreUnavailableError: no room, or no right to write.
        """
        try:
            if len(self._steps) > 1:
                _replace(self._folder, _CHANGE, json.dumps(self._steps).encode())
            place = _Place(self._folder)
            for step in self._steps:
                place.do(step, again=False)
            if len(self._steps) > 1:
                os.unlink(os.path.join(self._folder, _CHANGE))
        except OSError as err:
            raise _unavailable("write below", self._folder, err) from err

    def _refuse_clash(self, path: str) -> None:
        """Refuse a file where MLflow's layout has, or needs, a folder."""
        at = self._folder
        parts = path.split("/")
        for part in parts[:-1]:
            at = os.path.join(at, part)
            if os.path.isfile(at):
                raise _clash(path, at)
            if os.path.islink(at):
                raise InvalidParameterError(f"{at!r} is a link: nothing is written through links of an mlruns tree")
        if os.path.isdir(os.path.join(at, parts[-1])):
            raise _clash(path, os.path.join(at, parts[-1]))
        for step in self._steps:  # of this very change
            other = str(step[1])
            if step[0] in ("write", "append") and (other.startswith(path + "/") or path.startswith(other + "/")):
                raise _clash(path, os.path.join(self._folder, other))


def _clash(path: str, taken: str) -> InvalidParameterError:
    return InvalidParameterError(
        f"MLflow's file layout cannot keep {path!r} beside {taken!r}: a name is a file there, and cannot be a folder of "
        "other names as well; choose another name or another store"
    )


def _finish(folder: str) -> None:
    """Finish the change that a process left when it died; the caller holds *folder* alone."""
    path = os.path.join(folder, _CHANGE)
    try:
        with open(path, "rb") as file:
            steps = json.loads(file.read())
    except FileNotFoundError:
        return
    except (OSError, ValueError) as err:
        raise StoreUnavailableError(f"{path!r} cannot be read: {err}; remove it, or give the right to read it") from err
    place = _Place(folder)
    for step in steps:
        if not _is_step(step):
            logger.warning("%s asks for something that no change does: %r is left out", path, step)
            continue
        try:
            place.do(step, again=True)
        except (NotADirectoryError, IsADirectoryError, FileExistsError) as err:
            logger.warning("%s cannot be finished: %s", path, err)
        except OSError as err:
            raise _unavailable("write below", folder, err) from err
    os.unlink(path)


def _is_step(step: object) -> bool:
    """Whether a step that was read is one, with paths below the folder; a tree may come from anywhere."""
    if not isinstance(step, list) or len(step) not in (2, 3) or step[0] not in _STEPS:
        return False
    paths = step[1:] if step[0] == "move" else step[1:2]
    for path in paths:
        if not isinstance(path, str) or any(part in ("", ".", "..") for part in path.split("/")) or "\0" in path:
            return False
    return step[0] not in ("write", "append", "move") or len(step) == 3


_STEPS = ("write", "append", "make", "remove", "move", "drop")


class _Place:
    """A folder in which steps are done, and none through a link."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._real = os.path.realpath(folder)
        self._parents: set[str] = set()

    def do(self, step: Sequence[object], *, again: bool) -> None:
        """Do a step; *again*: it may have been done before."""
        kind, path = step[0], str(step[1])
        place = os.path.join(self._folder, path)
        if kind in ("write", "append"):
            self._prepare(os.path.dirname(path))
        if kind == "write":
            _replace(self._folder, path, str(step[2]).encode("utf-8", errors="surrogatepass"))
        elif kind == "append":
            _append(place, [str(line) for line in step[2]] if isinstance(step[2], list) else [], again=again)
        elif kind == "make":
            self._prepare(path)
        elif kind == "remove":
            with contextlib.suppress(FileNotFoundError):
                os.unlink(place)
        elif kind == "move":
            if os.path.lexists(place):
                os.rename(place, os.path.join(self._folder, str(step[2])))
            self._parents.clear()
        elif os.path.lexists(place):
            shutil.rmtree(place)

    def _prepare(self, parent: str) -> None:
        """Make a folder, and refuse one that a link leads to."""
        if parent in self._parents:
            return
        place = os.path.join(self._folder, parent)
        os.makedirs(place, exist_ok=True)
        if os.path.realpath(place) != os.path.normpath(os.path.join(self._real, parent)):
            raise NotADirectoryError(errno.ENOTDIR, "a link is on the way: nothing is written through it", place)
        self._parents.add(parent)


def _replace(folder: str, path: str, data: bytes) -> None:
    """Put *data* in the place of a file at once. The folder is held alone, so one temporary name will do."""
    temporary = os.path.join(folder, _TEMPORARY)
    with open(temporary, "wb") as file:
        file.write(data)
    os.replace(temporary, os.path.join(folder, path))


def _append(path: str, lines: Sequence[str], *, again: bool) -> None:
    """Add lines in one write; *again*: those that are there already are left out."""
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        size = _whole_lines(file, path)
        if again:
            there = set(os.pread(file, size, 0).decode("utf-8", errors="replace").splitlines(keepends=True))
            lines = [line for line in lines if line not in there]
        data = "".join(lines).encode("utf-8")
        if data and os.write(file, data) < len(data):
            os.ftruncate(file, size)
            raise OSError(errno.ENOSPC, "no room for a whole line", path)
    finally:
        os.close(file)


def _whole_lines(file: int, path: str) -> int:
    """Cut off a last line that was never written to its end, and return the size of the file."""
    size = os.fstat(file).st_size
    if size == 0 or os.pread(file, 1, size - 1) == b"\n":
        return size
    data = os.pread(file, size, 0)
    kept = data.rfind(b"\n") + 1
    logger.warning("%s ends in a line that is cut off, %r: it is removed", path, data[kept : kept + 80])
    os.ftruncate(file, kept)
    return kept


def _unavailable(what: str, folder: str, err: OSError) -> StoreUnavailableError:
    return StoreUnavailableError(f"cannot {what} {folder!r}: {err.strerror or err}")
