"""Trees of artifacts: what is there already with the same content stays, the rest is sent, and hashes are compared."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from mlcore.artifacts.local_files import CHUNK_BYTES, is_marker
from mlcore.artifacts.progress import Silent
from mlcore.artifacts.transfer import download_file, download_tree, upload_file, upload_tree
from mlcore.entities import FileInfo
from mlcore.errors import ChecksumError, CorruptStoreError
from mlcore.moving.sides import Job, Place
from mlcore.uris import relative_path

# A tree up to this size goes as a whole and appears at once; a larger one goes file by file, so that the local disk
# needs room for one file only.
_WHOLE_BYTES = 256 << 20


@frozen
class Trees:
    """Where a directory of artifacts is on either side, with the locations of the experiments that it belongs to."""

    source_uri: str
    source_root: str
    target_uri: str
    target_root: str


def copy_tree(job: Job, trees: Trees) -> bool:
    """Bring the target's tree up to date; return whether something was missing. Nothing is removed there.

    Raises MlcoreError: a file cannot be read or stored. ChecksumError: what was read is not what was sent.
    """
    if trees.source_uri.rstrip("/") == trees.target_uri.rstrip("/"):
        return False
    with job.source.place(trees.source_uri, trees.source_root) as source:
        files = list(_walk(source, source.path))
        if not files:
            return False
        if not trees.target_uri:  # of a run that a dry run did not make
            _count(job, files)
            return True
        with job.target.place(trees.target_uri, trees.target_root) as target:
            there = {_inner(target, each.path): each for each in _walk(target, target.path)}
            wanted = [each for each in files if not _same(source, each, target, there.get(_inner(source, each.path)))]
            if wanted:
                _count(job, wanted)
                job.write(lambda: _send(source, wanted, target, whole=not there))
            return bool(wanted)


def _count(job: Job, files: list[FileInfo]) -> None:
    job.tally.add(artifact_files=len(files), artifact_bytes=sum(each.file_size or 0 for each in files))


def _send(source: Place, files: list[FileInfo], target: Place, *, whole: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="mlcore-moving-") as folder:
        if whole and sum(_WHOLE_BYTES if each.file_size is None else each.file_size for each in files) <= _WHOLE_BYTES:
            _send_whole(source, target, Path(folder) / "tree")
            return
        local = Path(folder) / "file"
        # Who finds a marker takes the directory around it for complete.
        for each in sorted(files, key=lambda file: (is_marker(file.path), file.path)):
            got = download_file(source.repo, each.path, local, progress=Silent())
            path = _joined(target, _inner(source, each.path))
            sent = upload_file(target.repo, local, path, progress=Silent())
            _compare(each.path, got.sha256, sent.sha256)


def _send_whole(source: Place, target: Place, local: Path) -> None:
    got = download_tree(source.repo, source.path, local, progress=Silent())
    sent = upload_tree(target.repo, local, target.path, progress=Silent())
    hashes = {_inner(target, each.path): each.sha256 for each in sent}
    for each in got:
        _compare(each.path, each.sha256, hashes.get(_inner(source, each.path)))


def _compare(path: str, got: str, sent: str | None) -> None:
    if got != sent:
        raise ChecksumError(
            f"artifact {path!r} was read with SHA-256 {got} and sent with {sent}: the local disk or memory changed it"
        )


def _same(source: Place, wanted: FileInfo, target: Place, there: FileInfo | None) -> bool:
    if there is None:
        return False
    if None not in (there.file_size, wanted.file_size) and there.file_size != wanted.file_size:
        return False
    return _sha256(source, wanted.path) == _sha256(target, there.path)


def _sha256(place: Place, path: str) -> str:
    digest = hashlib.sha256()
    with place.repo.read(path) as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _walk(place: Place, folder: str) -> Iterator[FileInfo]:
    for info in place.repo.list(folder):
        # What a repository answers may come from another machine: it must not choose where files land.
        name = info.path.removeprefix(f"{folder}/") if folder else info.path
        if not name or "/" in name or relative_path(info.path) != info.path or (folder and name == info.path):
            raise CorruptStoreError(f"the repository lists {info.path!r} as a child of {folder!r}, which it is not")
        if info.is_dir:
            yield from _walk(place, info.path)
        else:
            yield info


def _inner(place: Place, path: str) -> str:
    return path.removeprefix(f"{place.path}/") if place.path else path


def _joined(place: Place, path: str) -> str:
    return f"{place.path}/{path}" if place.path else path
