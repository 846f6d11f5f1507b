"""Where files of one run go, and where they are found: in its repository, or in the spool when that is out of reach."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mlcore.artifacts.progress import Progress, auto
from mlcore.artifacts.transfer import download_file
from mlcore.entities import FileInfo
from mlcore.errors import ArtifactNotFoundError, MlcoreError, StoreUnavailableError
from mlcore.interfaces import ArtifactRepo
from mlcore.tracking.offline import explaining, unavailable
from mlcore.tracking.reach import Question, ask, is_outage, is_remote
from mlcore.uris import redacted

if TYPE_CHECKING:
    from mlcore.delivery import RunFolder
    from mlcore.delivery.spool_repo import SpoolRepo
    from mlcore.tracking.recorder import Recorder
    from mlcore.tracking.session import Session

Send = Callable[[ArtifactRepo, Progress | None], object]


class ArtifactWay:
    """Bring files of a run to its repository; what that cannot take now waits in the spool, and is found there."""

    def __init__(self, session: Session, run_id: str, tracking_uri: str, artifact_uri: Callable[[], str]) -> None:
        """Look at nothing yet.

        artifact_uri: asks for the root of the run's artifacts; raises StoreUnavailableError when it cannot be known.
        """
        self._session = session
        self._run_id = run_id
        self._uri = tracking_uri
        self._artifact_uri = artifact_uri

    def put(self, send: Send) -> None:
        """Let *send* store files in the run's repository, or in the spool when that does not answer."""
        recorder = self._recorder
        folder = recorder.folder(self._run_id)
        if folder is None:
            send(self._remote(), None)
            return
        if not (recorder.is_down or _waits(folder)):
            try:
                self._direct(send)
            except MlcoreError as err:
                if not is_outage(err):
                    raise
                recorder.report_down(err)
            else:
                return
        send(self._spool(folder), None)

    def reading(self) -> ArtifactRepo:
        """Return a repository in which all files of the run are found that can be reached."""
        recorder = self._recorder
        folder = recorder.folder(self._run_id)
        if folder is None or not _waits(folder):
            return self._remote()
        recorder.flush(self._run_id)
        if not _waits(folder):
            return self._remote()
        return self._spool(folder) if folder.facts().is_pending else Both(self._spool(folder), self._remote)

    def fetch(self, path: str, target: Path) -> bool:
        """Bring a file to *target* if it is there; return whether it is.

        Raises StoreUnavailableError: the repository is out of reach, or known to be, or takes too long.
        """
        recorder = self._recorder
        folder = recorder.folder(self._run_id)
        if recorder.is_down and folder is not None and not _waits(folder):
            raise unavailable(self._session, self._uri)

        def fetch() -> bool:
            repo = self.reading()
            if repo.stat(path) is None:
                return False
            download_file(repo, path, target)
            return True

        return fetch() if recorder.is_direct else ask(self._uri, fetch, self._session.settings.patience_s)

    @property
    def _recorder(self) -> Recorder:
        return self._session.recorder(self._uri)

    def _spool(self, folder: RunFolder) -> SpoolRepo:
        from mlcore.delivery.spool_repo import SpoolRepo

        return SpoolRepo(folder.artifacts, self._recorder.writer(self._run_id).write)

    def _remote(self) -> ArtifactRepo:
        with explaining(self._session, self._uri):
            return self._session.repo(self._artifact_uri(), self._uri)

    def _direct(self, send: Send) -> None:
        if not (is_remote(self._uri) or is_remote(self._artifact_uri())):
            send(self._remote(), None)
            return
        watched = Watched(auto("uploading"))
        asked: Question[object] = Question(lambda: send(self._remote(), watched))
        asked.start()
        patience_s = self._session.settings.patience_s
        try:
            while asked.is_alive():
                asked.join(max(0.01, watched.moved + patience_s - time.monotonic()))
                if asked.is_alive() and time.monotonic() - watched.moved >= patience_s:
                    raise StoreUnavailableError(
                        f"{redacted(self._uri)} took nothing of an artifact for {patience_s:g} s; set MLCORE_PATIENCE_S to "
                        "wait longer"
                    )
        finally:
            watched.is_abandoned = asked.is_alive()
        asked.answer()


def _waits(folder: RunFolder) -> bool:
    """Whether files of the run, or the run itself, wait: later files must not overtake them."""
    return folder.artifacts.exists() or folder.facts().is_pending


class Watched:
    """A progress that tells when something moved, and stops an upload for which nobody waits any more."""

    def __init__(self, shown: Progress) -> None:
        """Pass everything on to *shown*."""
        self._shown = shown
        self.moved: float = time.monotonic()
        self.is_abandoned: bool = False

    def start(self, total_bytes: int | None, total_files: int) -> None:
        """Hear that it begins."""
        self.moved = time.monotonic()
        self._shown.start(total_bytes, total_files)

    def advance(self, size_bytes: int) -> None:
        """Hear that more went over. Raises StoreUnavailableError: nobody waits any more."""
        if self.is_abandoned:
            raise StoreUnavailableError("the upload was given up: its file waits in the spool")
        self.moved = time.monotonic()
        self._shown.advance(size_bytes)

    def done(self) -> None:
        """Hear that it ended."""
        self._shown.done()


class Both:
    """Files that wait in the spool, over those that are in the run's repository already; to be read."""

    def __init__(self, spool: SpoolRepo, remote: Callable[[], ArtifactRepo]) -> None:
        """Look at nothing yet."""
        self._spool = spool
        self._remote = remote

    def list(self, path: str = "") -> Sequence[FileInfo]:
        """Return the direct children of a directory in either."""
        found = {info.path: info for info in self._remote().list(path)}
        found.update((info.path, info) for info in self._spool.list(path))
        return [found[name] for name in sorted(found)]

    def stat(self, path: str) -> FileInfo | None:
        """Return what is known of a file or directory."""
        return self._spool.stat(path) or self._remote().stat(path)

    def read(self, path: str) -> BinaryIO:
        """Open a file for reading. Raises ArtifactNotFoundError: there is no such file."""
        try:
            return self._spool.read(path)
        except ArtifactNotFoundError:
            return self._remote().read(path)

    def write(self, path: str, source: BinaryIO, size_bytes: int) -> None:
        """Store a file in the spool."""
        self._spool.write(path, source, size_bytes)

    def delete(self, path: str) -> None:
        """Remove a file from the spool."""
        self._spool.delete(path)

    def close(self) -> None:
        """Do nothing: the repositories are others'."""
