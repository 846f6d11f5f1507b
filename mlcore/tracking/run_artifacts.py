"""The artifact half of a run handle: files, trees, texts, figures, images and tables."""

from __future__ import annotations

import io
import json
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from mlcore.artifacts.transfer import download_file, download_tree, upload_file, upload_tree
from mlcore.entities import FileInfo, Run
from mlcore.errors import ArtifactNotFoundError, ArtifactWriteError, InvalidParameterError, MlcoreError
from mlcore.interfaces import TrackingStore
from mlcore.tracking import content, tags
from mlcore.tracking.artifact_way import ArtifactWay
from mlcore.tracking.locating import destination
from mlcore.tracking.names import now_ms
from mlcore.tracking.offline import artifact_root
from mlcore.tracking.reach import is_outage
from mlcore.uris import join, relative_path
from mlcore.wire import limits

if TYPE_CHECKING:
    from mlcore.tracking.recorder import Recorder
    from mlcore.tracking.session import Session

_SHOWN = 80


class RunArtifacts:
    """Put files into a run's artifact repository and get them back."""

    run_id: str
    tracking_uri: str
    _session: Session
    _recorder: Recorder
    _artifact_uri: str | None

    @property
    def _store(self) -> TrackingStore:
        return self._session.store(self.tracking_uri)

    def as_known(self) -> Run:
        """Return the run as far as it can be known now; see `RunHandle.as_known`."""
        raise NotImplementedError

    @property
    def _way(self) -> ArtifactWay:
        return ArtifactWay(self._session, self.run_id, self.tracking_uri, lambda: self.artifact_uri)

    @property
    def artifact_uri(self) -> str:
        """The root under which the run's artifacts are kept; a folder of the spool as long as the run is there alone."""
        return self._artifact_uri or artifact_root(self._session, self.run_id, self.tracking_uri)

    def get_artifact_uri(self, artifact_path: str | None = None) -> str:
        """Return the URI of the run's artifact root, or of a path below it."""
        return join(self.artifact_uri, relative_path(artifact_path)) if artifact_path else self.artifact_uri

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        """Return the direct children of a directory of artifacts, sorted by path; empty for a file."""
        return list(self._way.reading().list(relative_path(path or "")))

    def log_artifact(self, local_path: str | PathLike[str], artifact_path: str | None = None) -> None:
        """Store a file (or a directory, under its own name) below *artifact_path*."""
        source = _existing(local_path)
        target = _below(artifact_path, source.name)
        send = upload_tree if source.is_dir() else upload_file
        self._way.put(lambda repo, progress: send(repo, source, target, progress=progress))

    def log_artifacts(self, local_dir: str | PathLike[str], artifact_path: str | None = None) -> None:
        """Store the content of a directory below *artifact_path*; a new path appears whole or not at all."""
        source = _existing(local_dir)
        if not source.is_dir():
            raise InvalidParameterError(f"{str(local_dir)!r} is not a directory; use log_artifact for a file")
        target = relative_path(artifact_path or "")
        self._way.put(lambda repo, progress: upload_tree(repo, source, target, progress=progress))

    def download_artifacts(self, path: str = "", dst_path: str | PathLike[str] | None = None) -> str:
        """Fetch a file or directory below *dst_path* (a new temporary directory when not given).

        Returns the local path of what was asked for.
        Raises ArtifactNotFoundError: nothing is there.
        """
        checked = relative_path(path)
        repo = self._way.reading()
        info = repo.stat(checked)
        if info is None and checked:
            raise ArtifactNotFoundError(f"no artifact {path!r} under {self.artifact_uri!r}")
        root = destination(dst_path)
        if info is not None and not info.is_dir:
            target = root / PurePosixPath(checked).name
            download_file(repo, checked, target)
        else:
            target = root / PurePosixPath(checked).name if checked else root
            download_tree(repo, checked, target)
        return str(target)

    def log_text(self, text: str, artifact_file: str) -> None:
        """Store *text* as a UTF-8 file."""
        if not isinstance(text, str):
            raise InvalidParameterError(
                f"can't log a text of type {type(text).__name__}: expected a str; log_stream takes bytes, log_dict a dict"
            )
        try:
            data = text.encode()
        except UnicodeEncodeError as err:
            raise InvalidParameterError(f"can't log the text as {str(artifact_file)!r}: {err}") from err
        with self._new_file(artifact_file) as target:
            target.write_bytes(data)

    def log_dict(self, dictionary: object, artifact_file: str) -> None:
        """Store a dict or list as YAML (`.yml`, `.yaml`) or JSON (any other name)."""
        self.log_text(content.dict_text(dictionary, artifact_file), artifact_file)

    def log_stream(self, stream: BinaryIO, artifact_file: str) -> None:
        """Store all that a binary *stream* yields."""
        if isinstance(stream, io.TextIOBase) or not hasattr(stream, "read"):
            raise InvalidParameterError(
                f"can't log a stream of type {type(stream).__name__}: expected a file opened in binary mode, or io.BytesIO"
            )
        with self._new_file(artifact_file) as target, target.open("wb") as file:
            while chunk := stream.read(1 << 20):
                file.write(chunk)

    def log_figure(
        self, figure: object, artifact_file: str, *, save_kwargs: Mapping[str, object] | None = None
    ) -> None:
        """Store a matplotlib or plotly figure in the format that the file's name asks for."""
        with self._new_file(artifact_file) as target:
            content.save_figure(figure, target, save_kwargs)

    def log_image(
        self,
        image: object,
        artifact_file: str | None = None,
        key: str | None = None,
        step: int | None = None,
        timestamp: int | None = None,
    ) -> None:
        """Store an image under a name, or as one of a series under *key*, *step* and *timestamp*.

        image: a numpy array (see `content.save_image`), or an object with `save` such as a PIL image.
        """
        if (artifact_file is None) == (key is None):
            raise InvalidParameterError(
                f"log_image takes either artifact_file or key, got artifact_file={artifact_file!r} and key={key!r}"
            )
        if artifact_file is None:
            artifact_file = _series_file(str(key), step, timestamp)
            self._set_own_tag(tags.LOGGED_IMAGES, "True")
        elif step is not None or timestamp is not None:
            raise InvalidParameterError("log_image takes step and timestamp together with key, not with artifact_file")
        with self._new_file(artifact_file) as target:
            content.save_image(image, target)

    def log_table(self, data: object, artifact_file: str) -> None:
        """Store a table (DataFrame or dict of columns) as `.json` or `.parquet`, appended to what is there."""
        frame = content.table_frame(data)
        path = relative_path(artifact_file)
        with self._new_file(artifact_file) as target:
            is_known = self._fetch_table(path, target)
            if is_known:
                import pandas as pd

                frame = pd.concat([content.read_table(target), frame], ignore_index=True)
            content.save_table(frame, target)
            self._session.tables.keep((self.tracking_uri, self.run_id, path), target)
        if not is_known:
            self._note_table(path)

    def _fetch_table(self, path: str, target: Path) -> bool:
        """Bring a table to *target*; return False when there is none.

        When it is out of reach, the one that this process wrote last stands for it. Raises StoreUnavailableError: there
        is a table, and this process has not written it.
        """
        try:
            return self._way.fetch(path, target)
        except MlcoreError as err:
            if not is_outage(err) or self._recorder.is_direct:
                raise
            if self._session.tables.fetch((self.tracking_uri, self.run_id, path), target):
                return True
            if any(entry.get("path") == path for entry in self._tables()):
                raise
        return False

    def _tables(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = json.loads(self.as_known().data.tags.get(tags.LOGGED_ARTIFACTS, "[]"))
        return found

    def _note_table(self, path: str) -> None:
        entries = [e for e in self._tables() if e.get("path") != path]
        self._set_own_tag(tags.LOGGED_ARTIFACTS, json.dumps([*entries, {"path": path, "type": "table"}]))

    def _set_own_tag(self, key: str, value: str) -> None:
        from mlcore.entities import Batch, RunTag

        self._recorder.record(self.run_id, Batch(tags=(RunTag(key, value),)))

    @contextmanager
    def _new_file(self, artifact_file: str) -> Iterator[Path]:
        """Yield a path to write; what is there at the end of the block is stored as *artifact_file*."""
        path = relative_path(artifact_file)
        if not path or str(artifact_file).endswith("/"):
            raise InvalidParameterError(f"invalid artifact file {artifact_file!r}: expected the name of a file")
        with tempfile.TemporaryDirectory(prefix="mlcore-") as folder:
            target = Path(folder) / PurePosixPath(path).name
            try:
                yield target
            except OSError as err:
                raise ArtifactWriteError(f"artifact {_short(path)} could not be made: {err.strerror or err}") from err
            self._way.put(lambda repo, progress: upload_file(repo, target, path, progress=progress))


def _series_file(key: str, step: int | None, timestamp: int | None) -> str:
    at = limits.check_step("step of log_image", 0 if step is None else step)
    moment = limits.check_moment("timestamp of log_image", now_ms() if timestamp is None else timestamp)
    return f"images/{key.replace('/', '#')}+step+{at}+timestamp+{moment}+{uuid.uuid4()}.png"


def _short(path: str) -> str:
    return repr(path) if len(path) <= _SHOWN else f"{path[:_SHOWN]!r}..."


def _existing(local: str | PathLike[str]) -> Path:
    if not isinstance(local, (str, PathLike)) or not str(local):  # an empty text would be the working directory
        raise InvalidParameterError(f"invalid local path {local!r}: expected the path of a file or directory")
    path = Path(local)
    if not path.exists():
        raise InvalidParameterError(f"there is no local file or directory {str(local)!r}")
    return path


def _below(artifact_path: str | None, name: str) -> str:
    folder = relative_path(artifact_path or "")
    return f"{folder}/{name}" if folder else name
