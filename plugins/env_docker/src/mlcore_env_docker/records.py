"""What is remembered of the environments: one JSON file each, written whole."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import asdict, frozen

from mlcore.delivery.locks import take
from mlcore.errors import CorruptStoreError, NotFoundError
from mlcore.interfaces import ImageSpec

_WAIT_S = 0.05


@frozen
class Record:
    """An environment: an image, and how its containers are run.

    image_id: of the engine, which is what runs. pin: how any engine gets that very image. created_ms: since the epoch.
    pulled: whether the image came here for this environment. built: names of images with projects in them.
    """

    env_id: str
    image: ImageSpec
    image_id: str
    pin: str
    created_ms: int
    pulled: bool = False
    built: tuple[str, ...] = ()


class Records:
    """The records of one directory, which processes share."""

    def __init__(self, root: Path) -> None:
        """Keep them in *root*, which is made when the first is written."""
        self._root = root

    def ids(self) -> tuple[str, ...]:
        """Return the ids of all environments, sorted."""
        return tuple(sorted(path.stem for path in self._root.glob("*.json")))

    def find(self, env_id: str) -> Record:
        """Return a record. Raises NotFoundError: there is none. CorruptStoreError: it cannot be read."""
        try:
            kept = json.loads(self._path(env_id).read_text("utf-8"))
            image = kept.pop("image")
            pairs = {name: tuple(tuple(pair) for pair in image[name]) for name in ("environment", "options")}
            spec = ImageSpec(image["name"], tuple(image["volumes"]), **pairs, build=image["build"])
            return Record(image=spec, built=tuple(kept.pop("built")), **kept)
        except FileNotFoundError as err:
            known = ", ".join(self.ids()) or "none"
            raise NotFoundError(
                f"no environment {env_id!r} of containers in {str(self._root)!r} (known: {known})"
            ) from err
        except (ValueError, TypeError, KeyError) as err:
            path = str(self._path(env_id))
            raise CorruptStoreError(
                f"{path!r} is no record of an environment ({err}): remove it and run again"
            ) from err

    def write(self, record: Record) -> None:
        """Write a record in place of the one with its id."""
        self._root.mkdir(parents=True, exist_ok=True)
        path = self._path(record.env_id)
        half = path.with_suffix(f".{os.getpid()}.{time.monotonic_ns()}.part")
        half.write_text(json.dumps(asdict(record)), "utf-8")
        half.replace(path)

    def delete(self, env_id: str) -> None:
        """Forget an environment."""
        self._path(env_id).unlink(missing_ok=True)

    def touch(self, env_id: str) -> None:
        """Remember that the environment is used now."""
        os.utime(self._path(env_id))

    def used_ms(self, env_id: str) -> int:
        """Return when it was last used, in ms since the epoch."""
        return self._path(env_id).stat().st_mtime_ns // 1_000_000

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until no other process or thread makes or changes an environment."""
        self._root.mkdir(parents=True, exist_ok=True)
        while (lock := take(self._root / "lock")) is None:
            time.sleep(_WAIT_S)
        try:
            yield
        finally:
            lock.release()

    def _path(self, env_id: str) -> Path:
        # an id is a file's name here, and may come from a user: nothing of it leads elsewhere
        return self._root / f"{env_id.replace('/', '_').replace(os.sep, '_')}.json"
