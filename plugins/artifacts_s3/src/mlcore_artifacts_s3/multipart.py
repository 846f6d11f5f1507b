"""Send large content in parts, several at once; nothing is visible before all are there, and an attempt can go on.

An unfinished upload is noted in a local file under the hash of place and content, so that a later attempt, of this
or another process, sends only the parts that are missing. Parts of the same content are interchangeable, hence two
attempts at once do no harm.
"""

from __future__ import annotations

import base64
import hashlib
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from mlcore.errors import ArtifactWriteError, MlcoreError, StoreUnavailableError
from mlcore.interfaces import HashedFile
from mlcore_artifacts_s3.channel import FileSpan
from mlcore_artifacts_s3.faults import UploadGoneError
from mlcore_artifacts_s3.notes import Note
from mlcore_artifacts_s3.place import SHA256_NAME, Place
from mlcore_artifacts_s3.signing import UNSIGNED_PAYLOAD

MAX_PARTS = 10_000
_ATTEMPTS = 3

Advance = Callable[[int], object]
Job = TypeVar("Job")
Done = TypeVar("Done")


def part_size(size_bytes: int, wanted: int) -> int:
    """Return the size of parts that *size_bytes* is sent in: as wanted, or larger when there were too many."""
    return max(wanted, -(-size_bytes // MAX_PARTS))


def send_file(place: Place, file: HashedFile, advance: Advance) -> None:
    """Store a local file, or go on with an attempt that broke off.

    Raises ArtifactWriteError: refused, or the file changed; then nothing of it is left. StoreUnavailableError: it
    broke off; the parts that arrived are kept for the next attempt.
    """
    size = part_size(file.size_bytes, place.connection.settings.part_bytes)
    note = Note.of(place, file, size)
    counted = _Once(advance)
    for attempt in range(_ATTEMPTS):
        upload, have = note.resumed(place, file.size_bytes) or (_begin(place, {SHA256_NAME: file.sha256}), {})
        note.write(upload)
        try:
            done = _send_missing(place, upload, file, size, have, counted)
            _check_unchanged(place, file)
            complete(place, upload, done)
        except UploadGoneError:
            # Dropped by the storage, or completed by somebody else who stores the same.
            note.forget()
            if _is_there(place, file):
                return
            if attempt == _ATTEMPTS - 1:
                raise
        except StoreUnavailableError:
            raise
        except MlcoreError:
            abort(place, upload)
            note.forget()
            raise
        else:
            note.forget()
            return


def send_stream(place: Place, parts: Iterator[bytes]) -> None:
    """Store what is read part by part. Whatever goes wrong, nothing of it is left."""
    upload = _begin(place, {})
    is_complete = False
    workers = place.connection.settings.parallel_parts
    try:
        jobs = enumerate(parts, 1)
        done = dict(in_parallel(workers, jobs, lambda job: (job[0], _send_part(place, upload, *job))))
        complete(place, upload, done)
        is_complete = True
    finally:
        if not is_complete:
            abort(place, upload)


def abort(place: Place, upload: str) -> None:
    """Drop the parts of an upload; what fails here is cleaned up by the bucket's own rules."""
    with suppress(MlcoreError):
        place.call("abort_multipart_upload", UploadId=upload)


def in_parallel(workers: int, jobs: Iterator[Job], work: Callable[[Job], Done]) -> Iterator[Done]:
    """Return what *work* makes of the *jobs*, as they are done; at most *workers* jobs have been taken and not done."""
    running: set[Future[Done]] = set()
    with ThreadPoolExecutor(workers, thread_name_prefix="mlcore-s3") as pool:
        while True:
            while len(running) < workers and (job := next(jobs, None)) is not None:
                running.add(pool.submit(work, job))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from [future.result() for future in done]


def _begin(place: Place, metadata: Mapping[str, str]) -> str:
    return str(place.call("create_multipart_upload", Metadata=metadata)["UploadId"])


def _send_missing(
    place: Place, upload: str, file: HashedFile, size: int, have: Mapping[int, str], counted: _Once
) -> dict[int, str]:
    spans = [
        (n, start, min(size, file.size_bytes - start)) for n, start in enumerate(range(0, file.size_bytes, size), 1)
    ]
    for number, _, length in spans:
        if number in have:
            counted.advance(number, length)
    missing = iter([span for span in spans if span[0] not in have])

    def send(span: tuple[int, int, int]) -> tuple[int, str]:
        number, start, length = span
        etag = _send_part(place, upload, number, FileSpan(file.local, start, length))
        counted.advance(number, length)
        return number, etag

    return {**have, **dict(in_parallel(place.connection.settings.parallel_parts, missing, send))}


def _send_part(place: Place, upload: str, number: int, part: bytes | FileSpan) -> str:
    """Send one part with a checksum, and return its ETag.

    By default the checksum is a CRC-32 in a signed header, as AWS's own clients send it; signing the payload with
    its SHA-256 costs both sides most of the time that a large file takes.
    """
    query = {"partNumber": str(number), "uploadId": upload}
    pieces = part.chunks() if isinstance(part, FileSpan) else (part,)
    if place.connection.settings.sign_parts:
        sha256, crc = _sha256(pieces), None
    else:
        sha256, crc = UNSIGNED_PAYLOAD, _crc32(pieces)
    headers = place.connection.headers("upload_part", {"ChecksumCRC32": crc} if crc else {})
    answer = place.wire.request("PUT", place.key, headers, query=query, body=part, sha256=sha256)
    if answer is not None:
        answer.close()
        if etag := answer.response.getheader("etag"):
            return etag
    body = b"".join(map(bytes, part.chunks())) if isinstance(part, FileSpan) else part
    return str(place.call("upload_part", UploadId=upload, PartNumber=number, Body=body)["ETag"])


def _sha256(pieces: Iterable[bytes | memoryview]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _crc32(pieces: Iterable[bytes | memoryview]) -> str:
    crc = 0
    for piece in pieces:
        crc = zlib.crc32(piece, crc)
    return base64.b64encode(crc.to_bytes(4, "big")).decode()


def complete(place: Place, upload: str, done: Mapping[int, str]) -> None:
    """Make an object of parts that were sent, of which *done* has the ETags by number."""
    parts = [{"PartNumber": number, "ETag": etag} for number, etag in sorted(done.items())]
    place.call("complete_multipart_upload", UploadId=upload, MultipartUpload={"Parts": parts})


def _check_unchanged(place: Place, file: HashedFile) -> None:
    now = Path(file.local).stat()
    if (now.st_mtime_ns, now.st_size) != (file.modified_ns, file.size_bytes):
        raise ArtifactWriteError(
            f"{place.doing()}: {file.local!r} changed while it was uploaded; upload it when nobody writes to it, "
            "or upload a copy"
        )


def _is_there(place: Place, file: HashedFile) -> bool:
    try:
        found = place.call("head_object").get("Metadata")
    except MlcoreError:
        return False
    return isinstance(found, Mapping) and found.get(SHA256_NAME) == file.sha256


class _Once:
    """Progress that hears of each part once, however often it is sent."""

    def __init__(self, advance: Advance) -> None:
        self._advance = advance
        self._told: set[int] = set()
        self._lock = threading.Lock()

    def advance(self, number: int, size_bytes: int) -> None:
        with self._lock:
            if number not in self._told:
                self._told.add(number)
                self._advance(size_bytes)
