"""Where everything of a store lies; see docs/file-store.md."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import zlib
from pathlib import Path
from urllib.parse import quote

from mlcore.errors import CorruptStoreError, StoreUnavailableError, UnsupportedError
from mlcore.uris import file_uri

FORMAT = 1
MARKER = "mlcore-store.json"
_PLAIN_NAME = re.compile(r"[a-z0-9_-]{1,100}")


def folder_name(given: str) -> str:
    """Return the name of the folder of the object with an id: the id itself where any file system can hold it."""
    if _PLAIN_NAME.fullmatch(given):
        return given
    return "=" + hashlib.sha256(given.encode("utf-8", "surrogatepass")).hexdigest()[:40]


class Layout:
    """The folders of a store. Nothing in them says where the store is, so that it can be moved."""

    def __init__(self, root: Path) -> None:
        """Use the absolute path *root*."""
        self.root: Path = root
        self.experiments: Path = root / "experiments"
        self.runs: Path = root / "runs"
        self.logged: Path = root / "logged"
        self.models: Path = root / "models"
        self.claims: Path = root / "claims"
        self.index: Path = root / ".index"
        self._artifacts = file_uri(root / "artifacts")

    def experiment(self, experiment_id: str) -> Path:
        """Return the folder of an experiment."""
        return self.experiments / folder_name(experiment_id)

    def run(self, run_id: str) -> Path:
        """Return the folder of a run: below one of 256, so that changes are found without a look at every run."""
        return self.runs / f"{zlib.crc32(run_id.encode('utf-8', 'surrogatepass')) & 255:02x}" / folder_name(run_id)

    def logged_model(self, model_id: str) -> Path:
        """Return the folder of a logged model."""
        return self.logged / folder_name(model_id)

    def artifacts(self, experiment_id: str) -> str:
        """Return the URI below which an experiment keeps its artifacts when it names no other place."""
        return f"{self._artifacts}/{quote(folder_name(experiment_id))}"

    def prepare(self) -> None:
        """Make the store, if it is not there; a store that cannot be written is left as it is.

        Raises StoreUnavailableError: it is not there and cannot be made. CorruptStoreError, UnsupportedError: what is
        there is no store, or one of a later version.
        """
        marker = self.root / MARKER
        if marker.exists():
            _check(marker)
            return
        try:
            make_folder(self.root)
            text = json.dumps({"format": FORMAT, "kind": "mlcore file store"}) + "\n"
            publish(marker, text.encode())
        except OSError as err:
            if self.runs.is_dir():
                return  # copied without the marker, onto a medium that cannot be written
            raise StoreUnavailableError(f"cannot make a store at {str(self.root)!r}: {err}") from err


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, for their owner only. Raises OSError."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True, mode=0o700)


def names_in(folder: Path) -> list[str]:
    """Return the names in a folder; none when it is not there."""
    try:
        return os.listdir(folder)  # noqa: PTH208 - paths of thousands of names cost more than the names
    except OSError:
        return []


def publish(path: Path, content: bytes) -> bool:
    """Make a file that is there with all of its content or not at all; False when there is one already.

    `link` is atomic on network file systems too; where there are no links, an exclusive creation does it.
    """
    draft = path.with_name(f".{path.name[:80]}.{os.getpid()}.{os.urandom(6).hex()}")
    try:
        draft.write_bytes(content)
        draft.chmod(0o600)
        try:
            os.link(draft, path)
        except FileExistsError:
            return False
        except OSError:
            return _create(path, content)
        return True
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()


def _create(path: Path, content: bytes) -> bool:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(fd, "wb") as file:
        file.write(content)
    return True


def _check(marker: Path) -> None:
    try:
        said = json.loads(marker.read_text("utf-8"))
        version = int(said["format"])
    except OSError as err:
        raise StoreUnavailableError(f"cannot read {str(marker)!r}: {err}") from err
    except (ValueError, KeyError, TypeError) as err:
        raise CorruptStoreError(f"{str(marker)!r} does not say which format the store has: {err}") from err
    if version > FORMAT:
        raise UnsupportedError(
            f"the store at {str(marker.parent)!r} has the format {version}, this mlcore-store-file reads {FORMAT}: "
            "update mlcore-store-file"
        )
