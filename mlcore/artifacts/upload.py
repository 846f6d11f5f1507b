"""Send files and trees to a repository: streamed, counted, hashed, and visible whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import BinaryIO, cast

from mlcore.artifacts.local_files import SourceFile, is_marker, source_file, source_tree
from mlcore.artifacts.measured import MeasuredReader, Transfer, hashed_file
from mlcore.artifacts.parallel import Counted, each, is_large
from mlcore.artifacts.progress import Progress, auto
from mlcore.errors import AlreadyExistsError, ArtifactWriteError, InvalidParameterError, MlcoreError
from mlcore.interfaces import ArtifactRepo, SupportsFileTransfer, SupportsStaging
from mlcore.uris import relative_path


def upload_file(
    repo: ArtifactRepo, local: str | PathLike[str], path: str, *, progress: Progress | None = None
) -> Transfer:
    """Store the file *local* as *path*, replacing what is there; links are followed.

    progress: a bar on a terminal, else silent, when not given.
    Raises InvalidParameterError: no such regular file, or an unsafe path. ArtifactWriteError: the file changed
    size meanwhile, or the repository could not store it; then nothing of it is visible.
    """
    target = relative_path(path)
    if not target:
        raise InvalidParameterError(f"invalid artifact path {path!r}: expected the name of a file below the root")
    file = source_file(Path(local))
    shown = progress or auto("uploading")
    shown.start(file.size_bytes, 1)
    try:
        sent = _send(repo, _mover(repo), file, target, shown)
        _check_stored(repo, sent)
    finally:
        shown.done()
    return sent


def upload_tree(
    repo: ArtifactRepo, local_dir: str | PathLike[str], path: str = "", *, progress: Progress | None = None
) -> tuple[Transfer, ...]:
    """Store the content of the directory *local_dir* below *path*, whose own content stays.

    A new *path* appears at once if the repository can do that; otherwise file by file, with `MLmodel` last, and a
    failure removes what was sent. Empty directories are not stored. Links inside the tree are followed.
    Returns what was sent, by path.
    Raises InvalidParameterError: no such directory, an unsafe name, a link out of the tree, or something that is
    no file. ArtifactWriteError: a file changed meanwhile, or the repository could not store one.
    """
    target = relative_path(path)
    files = source_tree(Path(local_dir))
    pairs = [(file, relative_path(_below(target, file.path))) for file in files]
    if not files:
        return ()
    shown = progress or auto("uploading")
    shown.start(sum(file.size_bytes for file in files), len(files))
    try:
        is_new = _is_free(repo, target)
        sent = None
        if is_new and isinstance(repo, SupportsStaging):
            sent = _send_at_once(repo, pairs, target, shown)
            is_new = False  # or else somebody took the place, whose files must not be removed after an error
        if sent is None:
            sent = _send_one_by_one(repo, pairs, shown, undo=is_new)
    finally:
        shown.done()
    return tuple(sent)


def _send_at_once(
    repo: SupportsStaging, pairs: Sequence[tuple[SourceFile, str]], target: str, shown: Progress
) -> list[Transfer] | None:
    """Publish all files together; None when somebody else took the place meanwhile, and nothing was published."""
    try:
        with repo.staged(target) as inner:
            sent = list(_send_all(inner, [(file, file.path) for file, _ in pairs], shown))
            _check_all_stored(inner, sent)
    except AlreadyExistsError:
        return None
    return [Transfer(name, t.size_bytes, t.sha256) for (_, name), t in zip(pairs, sent, strict=True)]


def _send_one_by_one(
    repo: ArtifactRepo, pairs: Sequence[tuple[SourceFile, str]], shown: Progress, *, undo: bool
) -> list[Transfer]:
    """Publish file by file, markers last; *undo* removes on failure what was sent, as nothing was there before."""
    sent: list[Transfer] = []
    complete = False
    try:
        plain = [pair for pair in pairs if not is_marker(pair[1])]
        sent += _send_all(repo, plain, shown)
        _check_all_stored(repo, sent)
        for file, name in pairs:
            if is_marker(name):
                sent.append(_send(repo, _mover(repo), file, name, shown))
                _check_stored(repo, sent[-1])
        complete = True
    except MlcoreError as err:
        kept = "and were removed again" if undo else "and stay"
        err.add_note(f"{len(sent)} of {len(pairs)} files were stored before, {kept}")
        raise
    finally:
        for done in sent if undo and not complete else ():
            with suppress(MlcoreError):
                repo.delete(done.path)
    return sorted(sent, key=lambda transfer: transfer.path)


def _send_all(repo: ArtifactRepo, pairs: Sequence[tuple[SourceFile, str]], shown: Progress) -> Iterator[Transfer]:
    """Send files, several at once where the repository can; what was sent before an error comes out before it."""
    counted = Counted(shown)
    sizes = [file.size_bytes for file, _ in pairs]
    mover = _mover(repo)
    return each(repo, lambda pair: _send(repo, mover, pair[0], pair[1], counted), pairs, sizes)


def _mover(repo: ArtifactRepo) -> SupportsFileTransfer | None:
    # Asked once for many files: the question takes a tenth of the time of a small one.
    return repo if isinstance(repo, SupportsFileTransfer) else None


def _send(
    repo: ArtifactRepo, mover: SupportsFileTransfer | None, file: SourceFile, path: str, shown: Progress
) -> Transfer:
    try:
        opened = open(file.local, "rb")  # noqa: PTH123, SIM115  # closed below; Path costs as much as a small file
    except OSError as err:
        raise InvalidParameterError(f"cannot upload {file.local!r}: {err.strerror or err}") from err
    with opened:
        if mover is not None and is_large(mover, file.size_bytes):
            whole = hashed_file(opened, file.local)
            mover.put_file(path, whole, shown.advance)
            return Transfer(path, whole.size_bytes, whole.sha256)
        reader = MeasuredReader(opened, file.local, shown.advance)
        repo.write(path, cast("BinaryIO", reader), reader.size_bytes)
        return Transfer(path, reader.size_bytes, reader.sha256())


def _check_stored(repo: ArtifactRepo, sent: Transfer) -> None:
    info = repo.stat(sent.path)
    _compare(sent, not info.is_dir if info else False, info.file_size if info else None)


def _check_all_stored(repo: ArtifactRepo, sent: Sequence[Transfer]) -> None:
    """Compare sizes with a listing per directory: one request for many files."""
    by_folder: dict[str, list[Transfer]] = {}
    for transfer in sent:
        by_folder.setdefault(transfer.path.rpartition("/")[0], []).append(transfer)
    for folder, expected in by_folder.items():
        found = {info.path: info for info in repo.list(folder) if not info.is_dir}
        for transfer in expected:
            info = found.get(transfer.path)
            _compare(transfer, info is not None, info.file_size if info else None)


def _compare(sent: Transfer, is_file: bool, size_bytes: int | None) -> None:
    if is_file and size_bytes in (None, sent.size_bytes):
        return
    found = f"a file of {size_bytes} bytes" if is_file else "no file"
    raise ArtifactWriteError(
        f"artifact {sent.path!r} was sent with {sent.size_bytes} bytes, but the repository shows {found}: "
        "somebody else wrote it at the same time, or the storage lost it; upload it again"
    )


def _is_free(repo: ArtifactRepo, path: str) -> bool:
    info = repo.stat(path)
    return info is None or (info.is_dir and not repo.list(path))


def _below(folder: str, path: str) -> str:
    return f"{folder}/{path}" if folder else path
