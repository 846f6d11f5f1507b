"""What is installed in the running environment, looked up once as long as nothing is installed or removed there.

Reading the metadata of some hundred distributions takes longer than all the rest of a trivial run.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import threading
from pathlib import Path

from mlcore.projects.cache import cache_directory

_METADATA = (".dist-info", ".egg-info", "EGG-INFO")
_LOOKING = threading.Lock()  # the runs of a search begin together: one looks, the others read what it found


def running_lock() -> tuple[str, ...]:
    """Return exact requirement lines of what is installed in the running environment."""
    with _LOOKING:
        place = cache_directory() / "locks" / _state()
        with contextlib.suppress(OSError, UnicodeDecodeError):
            return tuple(place.read_text("utf-8").splitlines())
        return _looked_up(place)


def _looked_up(place: Path) -> tuple[str, ...]:
    from mlcore.projects.environments import running_lock as looked_up

    lines = looked_up()
    with contextlib.suppress(OSError):  # without a cache it is looked up each time
        place.parent.mkdir(parents=True, exist_ok=True)
        new = place.with_name(f"{place.name}.{os.getpid()}")
        new.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        new.replace(place)
    return lines


def _state() -> str:
    """Return what changes when a distribution is installed or removed: its metadata come, go or are written anew.

    Not the directories' own times: one of them may be the working directory, in which the store changes with each run.
    """
    found = [(path, _metadata(path)) for path in sys.path]
    return hashlib.sha256(json.dumps([sys.prefix, found]).encode()).hexdigest()


def _metadata(path: str) -> list[tuple[str, int]]:
    """Return the names and times of a directory's metadata, or the time of an archive; nothing where neither is."""
    try:
        with os.scandir(path or ".") as entries:
            return sorted((each.name, each.stat().st_mtime_ns) for each in entries if each.name.endswith(_METADATA))
    except NotADirectoryError:
        return [("", os.stat(path).st_mtime_ns)]  # noqa: PTH116  # Path says the same, at more cost
    except OSError:
        return []
