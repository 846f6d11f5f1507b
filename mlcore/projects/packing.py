"""A project's directory as one archive, for backends whose jobs run on other machines; the same files, the same bytes."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from gzip import GzipFile
from pathlib import Path

from attrs import evolve, frozen

from mlcore.errors import ProjectError
from mlcore.interfaces import Job

# what a run does not need, or writes itself
_NEVER = (".git", "mlruns", "mlartifacts", "__pycache__", "*.pyc", ".venv", ".DS_Store")
_INPUTS = ".mlcore-inputs"
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # a zip archive knows no time before
_SHOWN = 3


_NOTHING: Mapping[str, Path] = {}


@frozen
class Packed:
    """An archive.

    digest: SHA-256 of the content, hexadecimal; the same for the same files.
    """

    content: bytes
    digest: str


@frozen
class PackedFile:
    """A file or empty directory to pack.

    name: relative to the project, with `/`. path: where its content is. is_directory: an empty one.
    """

    name: str
    path: Path
    is_directory: bool = False

    @property
    def mode(self) -> int:
        """Permissions as they are packed: whether it can be executed, and nothing else that differs by machine."""
        return 0o755 if self.is_directory or self.path.stat().st_mode & stat.S_IXUSR else 0o644


def zipped(
    directory: Path, *, excludes: Sequence[str] = (), along: Mapping[str, Path] = _NOTHING, limit_bytes: int
) -> Packed:
    """Pack a project as a zip archive, held in memory.

    excludes: patterns of the shell, compared with names and with paths relative to the project.
    along: further files and directories, by the names that they get.
    Raises ProjectError: a link points out of the project, or the archive is larger than *limit_bytes*.
    """
    found = _listed(directory, excludes, along, limit_bytes)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for file in found:
            info = zipfile.ZipInfo(file.name + "/" * file.is_directory, _EARLIEST)
            info.external_attr = (stat.S_IFDIR if file.is_directory else stat.S_IFREG) << 16 | file.mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, b"" if file.is_directory else file.path.read_bytes())
    return _within(target.getvalue(), directory, found, limit_bytes)


def tarball(
    directory: Path, *, excludes: Sequence[str] = (), along: Mapping[str, Path] = _NOTHING, limit_bytes: int
) -> Packed:
    """Pack a project as a tar archive, compressed by gzip, held in memory. As `zipped` otherwise."""
    found = _listed(directory, excludes, along, limit_bytes)
    target = io.BytesIO()
    with (
        GzipFile(fileobj=target, mode="wb", filename="", mtime=0, compresslevel=6) as gz,
        tarfile.open(fileobj=gz, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for file in found:
            info = tarfile.TarInfo(file.name)
            info.mode = file.mode
            if file.is_directory:
                info.type = tarfile.DIRTYPE
                archive.addfile(info)
                continue
            content = file.path.read_bytes()
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return _within(target.getvalue(), directory, found, limit_bytes)


def with_inputs_along(job: Job) -> tuple[Job, Mapping[str, Path]]:
    """Return a job whose `path` parameters name places in the unpacked project, and what has to be packed there.

    What lies in the project is there already; the rest is to go along, under the names that are returned.
    """
    argv = job.argv
    along: dict[str, Path] = {}
    # the longest first: one may be the beginning of another
    for number, path in enumerate(sorted(set(job.inputs), key=lambda each: (-len(str(each)), each))):
        if path.is_relative_to(job.directory):
            name = path.relative_to(job.directory).as_posix()
        else:
            name = f"{_INPUTS}/{number}/{path.name}"
            along[name] = path
        argv = tuple(word.replace(str(path), f"./{name}") for word in argv)
    return evolve(job, argv=argv), along


def files_of(directory: Path, excludes: Sequence[str] = ()) -> Iterator[PackedFile]:
    """Yield what of a project is packed, by name; links are followed where they stay within the project.

    Raises ProjectError: one leads out of it, so that a file of this machine would be sent along.
    """
    root = directory.resolve()
    patterns = (*_NEVER, *excludes)
    for where, folders, names in os.walk(root):
        here = Path(where)
        links = [name for name in folders if (here / name).is_symlink()]
        kept = sorted(name for name in folders if name not in links and not _is_excluded(root, here / name, patterns))
        folders[:] = kept
        for name in sorted((*names, *links)):
            path = here / name
            if not _is_excluded(root, path, patterns) and (file := _packed(root, path)) is not None:
                yield file
        if not folders and not names and here != root:
            yield PackedFile(here.relative_to(root).as_posix(), here, is_directory=True)


def _packed(root: Path, path: Path) -> PackedFile | None:
    name = path.relative_to(root).as_posix()
    if path.is_symlink():
        target = path.resolve()
        if not target.is_relative_to(root):
            raise ProjectError(
                f"cannot pack the project {str(root)!r}: the link {name!r} leads out of it, to {str(target)!r}; copy "
                "what it points to into the project, or give it as a parameter of type path"
            )
        if target.is_dir():
            raise ProjectError(
                f"cannot pack the project {str(root)!r}: {name!r} is a link to a directory; make it a directory, or "
                "leave it out by 'excludes' in the backend configuration"
            )
    return PackedFile(name, path) if path.is_file() else None  # neither sockets nor links to nothing


def _is_excluded(root: Path, path: Path, patterns: Sequence[str]) -> bool:
    name, relative = path.name, path.relative_to(root).as_posix()
    return any(fnmatchcase(name, each) or fnmatchcase(relative, each.strip("/")) for each in patterns)


def _listed(directory: Path, excludes: Sequence[str], along: Mapping[str, Path], limit_bytes: int) -> list[PackedFile]:
    found = list(files_of(directory, excludes))
    for name, path in along.items():
        of_it = files_of(path) if path.is_dir() else (PackedFile("", path),)
        found += [PackedFile(f"{name}/{each.name}".rstrip("/"), each.path, each.is_directory) for each in of_it]
    found.sort(key=lambda file: file.name)
    # before reading: data may lie beside the code that is many times what memory holds
    if sum(file.path.stat().st_size for file in found if not file.is_directory) > 20 * limit_bytes:
        raise _too_large(directory, found, limit_bytes)
    return found


def _within(content: bytes, directory: Path, found: Sequence[PackedFile], limit_bytes: int) -> Packed:
    if len(content) > limit_bytes:
        raise _too_large(directory, found, limit_bytes)
    return Packed(content, hashlib.sha256(content).hexdigest())


def _too_large(directory: Path, found: Sequence[PackedFile], limit_bytes: int) -> ProjectError:
    sizes = sorted(((file.path.stat().st_size, file.name) for file in found), reverse=True)[:_SHOWN]
    shown = ", ".join(f"{name!r} ({size / 1e6:.1f} MB)" for size, name in sizes)
    return ProjectError(
        f"the project {str(directory)!r} is larger than {limit_bytes / 1e6:.0f} MB when packed; its largest files: "
        f"{shown}. Name what is not needed in 'excludes' of the backend configuration, and give data as parameters of "
        "type path or uri"
    )
