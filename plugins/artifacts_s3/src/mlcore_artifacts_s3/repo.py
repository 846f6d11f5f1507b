"""An artifact repository below a prefix of a bucket."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from mlcore.entities import FileInfo
from mlcore.errors import (
    ArtifactNotFoundError,
    ArtifactWriteError,
    InvalidParameterError,
    StoreUnavailableError,
    UnauthenticatedError,
)
from mlcore.interfaces import HashedFile, PresignedUrl
from mlcore.uris import redacted, relative_path
from mlcore_artifacts_s3 import listing, multipart, objects
from mlcore_artifacts_s3.connection import Connection
from mlcore_artifacts_s3.place import Place
from mlcore_artifacts_s3.ranges import fetch_file
from mlcore_artifacts_s3.settings import S3Settings
from mlcore_artifacts_s3.wire import Wire

_LARGE_BYTES = 4 << 20
_DELETE_AT_ONCE = 1000
_MAX_EXPIRES_S = 604_800
# Who finds it takes the directory around it for a complete model: it goes first when that is deleted.
_MARKER = "MLmodel"


class S3Repo:
    """Keep artifacts as objects below one prefix; a directory is what has objects below it.

    An object appears when all of it has arrived. Requests go over a fast lane of kept connections; whatever is not
    plain success there is done again by boto3, with its retries and redirects.
    """

    def __init__(self, uri: str, prefix: str, connection: Connection) -> None:
        """Serve what is below *prefix* in the connection's bucket; nothing is connected yet."""
        self._uri = uri
        self._prefix = prefix
        self._connection = connection
        settings = connection.settings
        self._wire = Wire(self._connection, max(settings.parallel_files, settings.parallel_parts))

    @classmethod
    def open(cls, uri: str, settings: S3Settings | None = None) -> S3Repo:
        """Serve `s3://bucket/prefix`; nothing is connected yet.

        settings: of the environment when not given.
        Raises InvalidParameterError: no bucket, or something in the URI that does not belong there. SettingsError: a
        variable cannot be used.
        """
        split = urlsplit(uri)
        if split.scheme.lower() not in ("s3", "s3a") or not split.netloc or "@" in split.netloc:
            raise InvalidParameterError(
                f"invalid S3 URI {redacted(uri)!r}: expected s3://<bucket>/<prefix>, without user or password"
            )
        # '?' and '#' are characters like others in keys.
        path = uri.partition("://")[2].partition("/")[2].strip("/")
        return cls(uri, path, Connection(split.netloc, settings or S3Settings.from_environ()))

    @property
    def parallel_files(self) -> int:
        """How many small files may be moved at once."""
        return self._connection.settings.parallel_files

    @property
    def large_file_bytes(self) -> int:
        """From which size on a file is moved over several connections."""
        return _LARGE_BYTES

    def list(self, path: str = "") -> Sequence[FileInfo]:
        """Return the direct children of a directory, sorted by path."""
        folder = relative_path(path)
        below = self._below(folder)
        found: dict[str, FileInfo] = {}
        for page in self._pages(below, "list", Delimiter="/"):
            for item in _rows(page, "Contents"):
                name = str(item["Key"]).removeprefix(below)
                # An object named like a directory, with a slash, is what consoles make for an empty one.
                if name and "/" not in name:
                    found[name] = FileInfo(_join(folder, name), is_dir=False, file_size=int(str(item["Size"])))
            for item in _rows(page, "CommonPrefixes"):
                name = str(item["Prefix"]).removeprefix(below).removesuffix("/")
                if name and name not in found:
                    found[name] = FileInfo(_join(folder, name), is_dir=True)
        return sorted(found.values(), key=lambda info: info.path)

    def stat(self, path: str) -> FileInfo | None:
        """Return what is known of a file or directory; None when it is not there."""
        checked = relative_path(path)
        if not checked:
            return FileInfo("", is_dir=True)
        try:
            head = self._place(checked, "look at").call("head_object")
            return FileInfo(checked, is_dir=False, file_size=int(str(head["ContentLength"])))
        except ArtifactNotFoundError:
            # A missing object, or a missing bucket: the answer has no body that could say. The listing does.
            page = next(self._pages(self._below(checked), "look at", MaxKeys=1))
            return FileInfo(checked, is_dir=True) if _rows(page, "Contents") else None

    def fingerprint(self, path: str) -> str | None:
        """Return the object's ETag and size; None when it is not there."""
        try:
            head = self._place(self._file(path), "look at").call("head_object")
        except ArtifactNotFoundError:
            return None
        etag = str(head.get("ETag") or "")
        return f"{etag} {head['ContentLength']}" if etag else None

    def read(self, path: str) -> BinaryIO:
        """Open a file for reading. Raises ArtifactNotFoundError: there is no such file."""
        checked = relative_path(path)
        if not checked:
            raise ArtifactNotFoundError(f"no artifact {path!r} under {self._uri!r}: expected a file")
        try:
            return objects.get(self._place(checked, "read"))
        except ArtifactNotFoundError as err:
            raise self._missing(path) from err

    def read_range(self, path: str, start: int, end: int) -> BinaryIO:
        """Open a part of a file. Raises ArtifactNotFoundError: there is no such file."""
        try:
            return objects.get_range(self._place(self._file(path), "read"), start, end)
        except ArtifactNotFoundError as err:
            raise self._missing(path) from err

    def write(self, path: str, source: BinaryIO, size_bytes: int) -> None:
        """Store a file, replacing what is there.

        Raises ArtifactWriteError: refused, or *source* is longer or shorter; nothing of the new file is left.
        """
        place = self._place(self._file(path), "write")
        parts = multipart.part_size(size_bytes, self._connection.settings.part_bytes)
        read = objects.read_exactly(place, source, size_bytes, parts)
        if size_bytes > parts:
            multipart.send_stream(place, read)
            return
        body = next(read)
        objects.put(place, body, hashlib.sha256(body).hexdigest())

    def put_file(self, path: str, file: HashedFile, advance: Callable[[int], object]) -> None:
        """Store a large local file, in parts; an attempt that broke off is continued.

        Raises ArtifactWriteError: refused, or the file changed. StoreUnavailableError: it broke off.
        """
        place = self._place(self._file(path), "write")
        if file.size_bytes > self._connection.settings.part_bytes:
            multipart.send_file(place, file, advance)
            return
        body = Path(file.local).read_bytes()
        if len(body) != file.size_bytes or hashlib.sha256(body).hexdigest() != file.sha256:
            raise ArtifactWriteError(f"{place.doing()}: {file.local!r} changed while it was uploaded; upload a copy")
        objects.put(place, body, file.sha256)
        advance(file.size_bytes)

    def get_file(self, path: str, local: str, advance: Callable[[int], object]) -> str | None:
        """Fetch a large file, in ranges; return the SHA-256 that was recorded.

        Raises ArtifactNotFoundError: there is no such file. StoreUnavailableError: it broke off.
        """
        return self.get_file_in_pieces(path, local, lambda _, size_bytes: advance(size_bytes))

    def get_file_in_pieces(self, path: str, local: str, arrived: Callable[[int, int], object]) -> str | None:
        """Do the same, and tell what has arrived: start and length of each piece."""
        try:
            return fetch_file(self._place(self._file(path), "read"), local, arrived)
        except ArtifactNotFoundError as err:
            raise self._missing(path) from err

    def presigned_url(self, path: str, method: str, expires_s: int) -> PresignedUrl:
        """Return a URL for one `GET` or `PUT` of a file.

        Raises InvalidParameterError: another method or time. UnauthenticatedError: there are no credentials.
        """
        operation = {"GET": "get_object", "PUT": "put_object"}.get(method.upper())
        if operation is None:
            raise InvalidParameterError(f"cannot presign a {method!r} of {path!r}: expected GET or PUT")
        return self._signed(operation, path, expires_s)

    def begin_parts(self, path: str) -> str:
        """Begin an upload that others send the parts of; return its id."""
        return str(self._place(self._file(path), "write").call("create_multipart_upload")["UploadId"])

    def part_url(self, path: str, upload_id: str, number: int, expires_s: int) -> PresignedUrl:
        """Return a URL for the `PUT` of one part.

        Raises InvalidParameterError: another number or time. UnauthenticatedError: there are no credentials.
        """
        if not 1 <= number <= multipart.MAX_PARTS:
            raise InvalidParameterError(f"invalid part {number!r} of {path!r}: expected 1 to {multipart.MAX_PARTS:,}")
        return self._signed("upload_part", path, expires_s, UploadId=upload_id, PartNumber=number)

    def complete_parts(self, path: str, upload_id: str, etags: Mapping[int, str]) -> None:
        """Make an object of its parts. Raises StoreUnavailableError: the upload or a part is not known."""
        multipart.complete(self._place(self._file(path), "write"), upload_id, etags)

    def abort_parts(self, path: str, upload_id: str) -> None:
        """Drop an upload and its parts."""
        multipart.abort(self._place(self._file(path), "write"), upload_id)

    def _signed(self, operation: str, path: str, expires_s: int, **given: object) -> PresignedUrl:
        if not 1 <= expires_s <= _MAX_EXPIRES_S:
            raise InvalidParameterError(
                f"cannot presign {path!r} for {expires_s!r} seconds: expected 1 to {_MAX_EXPIRES_S}, which is a week"
            )
        place = self._place(self._file(path), "presign")
        if self._connection.settings.unsigned or self._connection.credentials() is None:
            raise UnauthenticatedError(f"{place.doing()}: there are no credentials to sign with")
        url = self._connection.presigned(operation, {"Key": place.key, **given}, expires_s)
        return PresignedUrl(url, self._connection.headers(operation, {}) or {})

    def delete(self, path: str) -> None:
        """Remove a file, or a directory with all in it. Raises ArtifactNotFoundError: nothing is there."""
        checked = relative_path(path)
        keys = [str(item["Key"]) for item in self._all_below(self._below(checked))]
        if checked and self._is_file(checked):
            keys.append(self._key(checked))
        if not keys:
            raise self._missing(path)
        keys.sort(key=lambda key: (key.rpartition("/")[2] != _MARKER, key))
        for start in range(0, len(keys), _DELETE_AT_ONCE):
            self._delete_keys(path, keys[start : start + _DELETE_AT_ONCE])

    def close(self) -> None:
        """Let go of connections; a later call connects again."""
        self._wire.close()
        self._connection.close()

    def _delete_keys(self, path: str, keys: Sequence[str]) -> None:
        if len(keys) == 1:
            self._connection.call("delete_object", "delete", keys[0], Key=keys[0])
            return
        wanted = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        answer = self._connection.call("delete_objects", "delete", self._key(relative_path(path)), Delete=wanted)
        failed = _rows(answer, "Errors")
        if failed:
            first = failed[0]
            raise StoreUnavailableError(
                f"cannot delete {len(failed)} of {len(keys)} objects below {path!r} in bucket "
                f"{self._connection.bucket!r}: the first is {first.get('Key')!r} ({first.get('Code')}); check that the "
                "policy allows s3:DeleteObject, then delete again"
            )

    def _is_file(self, checked: str) -> bool:
        info = self.stat(checked)
        return info is not None and not info.is_dir

    def _all_below(self, below: str) -> Iterator[Mapping[str, object]]:
        for page in self._pages(below, "delete"):
            yield from _rows(page, "Contents")

    def _pages(self, below: str, verb: str, **options: object) -> Iterator[Mapping[str, object]]:
        token: dict[str, object] = {}
        while True:
            page = listing.page(self._connection, self._wire, verb, {"Prefix": below, **options, **token})
            yield page
            if not page.get("IsTruncated") or not page.get("NextContinuationToken"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def _file(self, path: str) -> str:
        checked = relative_path(path)
        if not checked:
            raise InvalidParameterError(f"invalid artifact path {path!r}: expected the name of a file below the root")
        return checked

    def _place(self, checked: str, verb: str) -> Place:
        return Place(self._connection, self._wire, self._key(checked), verb)

    def _key(self, checked: str) -> str:
        return _join(self._prefix, checked)

    def _below(self, checked: str) -> str:
        key = self._key(checked)
        return f"{key}/" if key else ""

    def _missing(self, path: str) -> ArtifactNotFoundError:
        return ArtifactNotFoundError(f"no artifact {path!r} under {self._uri!r}")


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder and name else folder or name


def _rows(page: Mapping[str, object], name: str) -> Sequence[Mapping[str, object]]:
    rows = page.get(name)
    return rows if isinstance(rows, list) else ()
