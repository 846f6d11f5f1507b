"""A job's output: shown as it comes, and kept as an artifact of the run."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from mlcore.errors import MlcoreError
from mlcore.interfaces import ProjectBackend, SupportsOutput
from mlcore.projects.run_tags import FOLDER
from mlcore.tracking.reach import Question, is_outage
from mlcore.tracking.run_handle import RunHandle

_TRIES = 5  # streams break; each begins again where the one before ended
_PAUSE_S = 0.5
_END_BYTES = 16 << 10
_LAST_WORDS_S = 60.0  # a reader gets so long after the end of the job

logger: logging.Logger = logging.getLogger(__name__)


class Output:
    """The output of one job, in a file as far as it has been read; nothing of it is kept in memory."""

    def __init__(self, path: Path, show: Callable[[bytes], None] | None = None) -> None:
        """Begin with an empty file.

        show: gets each piece; what it raises as OSError, as when nobody reads any more, ends the showing.
        """
        self._path = path
        self._show = show
        self._size = 0
        self._reading: Question[None] | None = None
        path.touch()

    def follow(self, backend: ProjectBackend, job_id: str) -> None:
        """Read the job's output in a thread of its own, until it ends."""
        self._reading = Question(lambda: self._read(backend, job_id))
        self._reading.start()

    def finish(self) -> None:
        """Wait for what the job has written last."""
        if self._reading is None:
            return
        self._reading.join(_LAST_WORDS_S)
        error = self._reading.error
        if error is not None:
            self.add(f"[mlcore] the output could not be read to its end: {error}")
        elif self._reading.is_alive():
            logger.warning("the backend went on sending output after the end of the job; the rest is left out")

    def add(self, text: str) -> None:
        """Add a line that is not the job's, such as why there is none; it is not shown."""
        with self._path.open("ab") as file:
            file.write(f"{text}\n".encode("utf-8", "backslashreplace"))

    def end(self) -> str:
        """Return the last lines as far as they have been read, some thousand characters."""
        with self._path.open("rb") as file:
            file.seek(max(0, self._path.stat().st_size - _END_BYTES))
            return file.read().decode("utf-8", "replace")

    def keep(self, run: RunHandle) -> None:
        """Store the file as an artifact of *run*; what goes wrong with it is only reported."""
        try:
            run.log_artifact(self._path, FOLDER)
        except (MlcoreError, OSError) as err:
            logger.warning("the output could not be kept with run %s: %s", run.run_id, err)

    def _read(self, backend: ProjectBackend, job_id: str) -> None:
        with self._path.open("ab") as file:
            tries = 0
            while True:
                before = self._size
                try:
                    for piece in _rest(backend, job_id, self._size):
                        file.write(piece)
                        file.flush()
                        self._size += len(piece)
                        self._shown(piece)
                except MlcoreError as err:
                    tries = 1 if self._size > before else tries + 1
                    if not is_outage(err) or tries > _TRIES:
                        raise
                    time.sleep(_PAUSE_S * tries)
                    continue
                return

    def _shown(self, piece: bytes) -> None:
        if self._show is None:
            return
        try:
            self._show(piece)
        except OSError:  # a pipe that was closed, as by `head`
            self._show = None


def _rest(backend: ProjectBackend, job_id: str, skipped: int) -> Iterator[bytes]:
    """Yield the output from byte *skipped* on."""
    if isinstance(backend, SupportsOutput):
        pieces: Iterator[bytes] = backend.output(job_id)
    else:
        pieces = (f"{line}\n".encode("utf-8", "backslashreplace") for line in backend.logs(job_id))
    for piece in pieces:
        if skipped >= len(piece):
            skipped -= len(piece)
            continue
        yield piece[skipped:]
        skipped = 0
