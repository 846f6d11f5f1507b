"""Bring files that wait in the spool to the repository of their run."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator

from mlcore.artifacts.progress import Silent
from mlcore.artifacts.upload import upload_file
from mlcore.delivery.spool import RunFolder
from mlcore.delivery.spool_repo import SpoolRepo
from mlcore.entities import SpooledArtifact
from mlcore.errors import ArtifactWriteError, InvalidParameterError, MlcoreError, StoreUnavailableError
from mlcore.interfaces import ArtifactRepo, TrackingStore

_TRIES = 12  # of a file that its repository does not take: with the pauses between them some minutes


class _Told(Silent):
    """Progress that only says that something moved."""

    def __init__(self, moved: Callable[[], object]) -> None:
        self._moved = moved

    def advance(self, size_bytes: int) -> None:  # noqa: ARG002  # the signature of Progress
        self._moved()


class Files:
    """Deliver spooled files.

    open_repo: opens the repository at an artifact URI. moved: told whenever something went over.
    """

    def __init__(self, open_repo: Callable[[str], ArtifactRepo], moved: Callable[[], object]) -> None:
        """Open nothing yet."""
        self._open_repo = open_repo
        self._moved = moved
        self._failures: Counter[tuple[str, str]] = Counter()

    def deliver(self, store: TrackingStore, folder: RunFolder, run_id: str, spooled: SpooledArtifact) -> None:
        """Store a file under its path and remove it here; one that is gone, or was replaced since, is passed over.

        run_id: that of the store. Raises InvalidParameterError: the repository will never take it; it stays here then.
        ArtifactWriteError: it does not take it now.
        """
        waiting = SpoolRepo(folder.artifacts)
        if not waiting.holds(spooled):
            return
        place = folder.facts().artifact_uri
        if place is None:
            place = store.get_run(run_id).info.artifact_uri
            folder.note(artifact_uri=place)
        try:
            upload_file(
                self._open_repo(place), waiting.local_file(spooled.path), spooled.path, progress=_Told(self._moved)
            )
        except StoreUnavailableError as err:
            # not the store itself, perhaps: other runs need not wait
            raise ArtifactWriteError(f"artifact {spooled.path!r} cannot be stored now: {err.message}") from err
        except ArtifactWriteError as err:
            cause = err.__cause__
            self._failures[folder.run_id, spooled.path] += 1
            is_final = isinstance(cause, MlcoreError) and 400 <= cause.status < 500
            if is_final or self._failures[folder.run_id, spooled.path] >= _TRIES:
                raise InvalidParameterError(f"{err.message}; it stays in {str(folder.artifacts)!r}") from err
            raise
        waiting.drop(spooled)


def files_left(folder: RunFolder) -> Iterator[SpooledArtifact]:
    """Yield the files of a run that wait here although no journal tells of them: their repository refused them once."""
    if folder.facts().is_pending or folder.journals():
        return
    repo = SpoolRepo(folder.artifacts)
    for info in repo.files():
        with repo.read(info.path) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # a real file
        yield SpooledArtifact(info.path, info.file_size or 0, digest)
