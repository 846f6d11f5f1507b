"""Send a large file in parts, straight to the storage behind the proxy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from urllib.parse import unquote

from mlcore.errors import MlcoreError, StoreUnavailableError, UnsupportedError
from mlcore.interfaces import HashedFile
from mlcore.remote.client import Remote
from mlcore.remote.exchange import Request
from mlcore.remote.places import split_url
from mlcore.uris import PROXY_PATH
from mlcore_artifacts_http.json_answers import json_answer
from mlcore_artifacts_http.sources import FileSource

_PART_BYTES = 10 << 20
_MAX_PARTS = 10_000
_AT_ONCE = 4


def put_in_parts(remote: Remote, target: str, file: HashedFile, advance: Callable[[int], object]) -> bool:
    """Store *file* at *target* of the proxy; False when its storage takes no parts, and nothing was done.

    Raises StoreUnavailableError: a part did not arrive; nothing is visible.
    """
    folder, _, name = target.removeprefix(PROXY_PATH).strip("/").rpartition("/")
    base, plain = PROXY_PATH.removesuffix("/artifacts") + "/mpu", unquote(name)
    size = max(_PART_BYTES, -(-file.size_bytes // _MAX_PARTS))
    count = -(-file.size_bytes // size)
    try:
        made = json_answer(
            remote, "POST", f"{base}/create/{folder}", {"path": plain, "num_parts": count}, shown=unquote(target)
        )
    except UnsupportedError:
        return False
    upload = {"path": plain, "upload_id": made.get("upload_id")}
    complete = False
    try:
        parts = made.get("credentials")
        if not isinstance(parts, list) or len(parts) != count:
            raise StoreUnavailableError(f"{remote.place.shown} gave no places for the {count} parts of {plain!r}")

        def send(part: Mapping[str, object]) -> dict[str, object]:
            number = int(str(part["part_number"]))
            start = (number - 1) * size
            span = FileSource(file, advance, start, min(size, file.size_bytes - start))
            return {"part_number": number, "etag": _sent(remote, part, span), "url": part["url"]}

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            done = sorted(pool.map(send, parts), key=lambda part: int(str(part["part_number"])))
        json_answer(remote, "POST", f"{base}/complete/{folder}", {**upload, "parts": done}, shown=unquote(target))
        complete = True
    finally:
        if not complete:
            with suppress(MlcoreError):
                json_answer(remote, "POST", f"{base}/abort/{folder}", upload, shown=unquote(target))
    return True


def _sent(remote: Remote, part: Mapping[str, object], span: FileSource) -> str:
    """Put one part where the server says: another host, which gets no credentials of ours."""
    place, target = split_url(str(part["url"]))
    given = part.get("headers")
    headers = {str(key): str(value) for key, value in given.items()} if isinstance(given, Mapping) else {}
    storage = Remote(place, remote.settings, trusted=False)
    try:
        with storage.open(Request("PUT", target, headers, span)) as response:
            response.readall()
            etag = response.headers.get("etag", "")
            if response.status not in (200, 201):
                raise StoreUnavailableError(f"the storage {place.shown} refused a part with status {response.status}")
    finally:
        storage.close()
    return etag
