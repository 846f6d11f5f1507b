"""Where the index of a store can be kept."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from mlcore_store_file.layout import Layout

_MOUNTS = Path("/proc/mounts")
# SQLite's locks do not work, or not always, on these.
_REMOTE = (
    "nfs",
    "cifs",
    "smb",
    "9p",
    "afs",
    "ceph",
    "lustre",
    "gpfs",
    "beegfs",
    "glusterfs",
    "fuse.",
    "ncpfs",
    "davfs",
)


def index_places(layout: Layout) -> list[Path]:
    """Return the files in which the index may be, the best first; after them only memory is left."""
    own = layout.index / "runs.sqlite"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "mlcore" / "store_file"
    name = hashlib.sha256(os.fsencode(layout.root.resolve())).hexdigest()[:32]
    elsewhere = cache / f"{name}.sqlite"
    return [elsewhere] if is_remote(layout.root) else [own, elsewhere]


def is_remote(path: Path) -> bool:
    """Tell whether a path is on a file system of another machine."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        mounts = _MOUNTS.read_text("utf-8", "replace")
    except OSError:
        return False
    best, kind = "", ""
    there = str(path.resolve())
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = fields[1].replace("\\040", " ")
        if (there == point or there.startswith(point.rstrip("/") + "/")) and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind.startswith(_REMOTE)
