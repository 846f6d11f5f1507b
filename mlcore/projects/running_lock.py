"""What is installed in the running environment, looked up once as long as nothing is installed or removed there.

Reading the metadata of some hundred distributions takes longer than all the rest of a trivial run.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from pathlib import Path

from mlcore.projects.cache import cache_directory


def running_lock() -> tuple[str, ...]:
    """Return exact requirement lines of what is installed in the running environment."""
    place = cache_directory() / "locks" / _state()
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return tuple(place.read_text("utf-8").splitlines())
    from mlcore.projects.environments import running_lock as looked_up

    lines = looked_up()
    with contextlib.suppress(OSError):  # without a cache it is looked up each time
        place.parent.mkdir(parents=True, exist_ok=True)
        new = place.with_name(f"{place.name}.{os.getpid()}")
        new.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        new.replace(place)
    return lines


def _state() -> str:
    """Return what changes when a distribution is installed or removed: the directories have another time then."""
    found: list[tuple[str, int]] = []
    for path in sys.path:
        with contextlib.suppress(OSError):
            found.append((path, Path(path or ".").stat().st_mtime_ns))
    return hashlib.sha256(json.dumps([sys.prefix, found]).encode()).hexdigest()
