"""Listings of artifacts as the protocol has them."""

from __future__ import annotations

from collections.abc import Iterable

from mlcore.entities import FileInfo
from mlcore.wire.tracking_json import Json


def files_out(found: Iterable[FileInfo], *, bare: bool = False, cut: str = "") -> Json:
    """Return the field `files`; nothing at all when there are none.

    bare: give names alone instead of paths. cut: what paths begin with that clients do not see.
    """
    rows = []
    for info in found:
        path = info.path.rpartition("/")[2] if bare else info.path.removeprefix(cut).lstrip("/") if cut else info.path
        row: Json = {"path": path, "is_dir": info.is_dir}
        if info.file_size is not None:
            row["file_size"] = info.file_size
        rows.append(row)
    return {"files": rows} if rows else {}
