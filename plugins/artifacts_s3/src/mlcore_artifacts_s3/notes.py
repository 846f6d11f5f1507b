"""Remember unfinished uploads in local files, so that a later attempt can go on."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from attrs import frozen

from mlcore.errors import MlcoreError
from mlcore.interfaces import HashedFile
from mlcore_artifacts_s3.place import Place

_STALE_SECONDS = 7 * 24 * 3600


@frozen
class Note:
    """Where the id of an unfinished upload is kept.

    path: named by the hash of place, content and part size, so that only the very same upload is continued.
    """

    path: Path
    part_bytes: int

    @classmethod
    def of(cls, place: Place, file: HashedFile, part_bytes: int) -> Note:
        """Return the note of an upload, and remove notes so old that the storage has forgotten them."""
        settings = place.connection.settings
        identity = (settings.endpoint_url, place.connection.bucket, place.key, file.sha256, part_bytes)
        _remove_stale(settings.state_dir)
        return cls(settings.state_dir / f"{hashlib.sha256(repr(identity).encode()).hexdigest()}.json", part_bytes)

    def resumed(self, place: Place, size_bytes: int) -> tuple[str, dict[int, str]] | None:
        """Return the upload's id and the ETags of the parts that are there; None when there is nothing to resume."""
        try:
            upload = json.loads(self.path.read_text("utf-8"))["upload_id"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        try:
            return str(upload), dict(self._parts(place, str(upload), size_bytes))
        except MlcoreError:
            return None  # gone, or a storage that does not list parts

    def write(self, upload: str) -> None:
        """Note the upload; where that is not possible there is nothing to resume, and no harm done."""
        with suppress(OSError):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            unfinished = self.path.with_suffix(f".{uuid.uuid4().hex}")
            unfinished.write_text(json.dumps({"upload_id": upload}), "utf-8")
            unfinished.replace(self.path)

    def forget(self) -> None:
        """Remove the note."""
        with suppress(OSError):
            self.path.unlink()

    def _parts(self, place: Place, upload: str, size_bytes: int) -> Iterator[tuple[int, str]]:
        marker = 0
        while True:
            answer = place.call("list_parts", UploadId=upload, PartNumberMarker=marker)
            parts = answer.get("Parts")
            for part in parts if isinstance(parts, list) else ():
                number = int(part["PartNumber"])
                start = (number - 1) * self.part_bytes
                if part["Size"] == min(self.part_bytes, size_bytes - start):
                    yield number, str(part["ETag"])
            if not answer.get("IsTruncated"):
                return
            marker = int(str(answer["NextPartNumberMarker"]))


def _remove_stale(folder: Path) -> None:
    with suppress(OSError):
        for path in folder.iterdir():
            if path.stat().st_mtime < time.time() - _STALE_SECONDS:
                path.unlink()
