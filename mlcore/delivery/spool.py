"""The spool: where journals wait for their store, below one folder per store and one per run.

`<spool_dir>/<store key>/store.json` names the store; `<run id>/` beside it holds what waits for one run:
`<writer>.journal`, `<writer>.sent` (how many bytes of it are delivered), `run.json` (see `RunFacts`), `refused.jsonl`
(what the store did not take), `artifacts/` (files that wait) and `<writer>.lock` (held by who delivers the journal).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from attrs import asdict, evolve, frozen

from mlcore.journal import SUFFIX
from mlcore.uris import scheme

_SECRET = ("pass", "secret", "token", "key", "credential")
_LONGEST_NAME = 200


@frozen
class RunFacts:
    """What is known of a run that waits, in `run.json`.

    server_run_id: the id that the server chose, when it is another one. artifact_uri: once known.
    is_pending: the run does not exist in the store yet; only a journal that begins with its creation may be delivered.
    is_tried: the store was asked to create it, and may have done so.
    after: runs that have to exist in the store before this one.
    """

    run_id: str
    server_run_id: str | None = None
    experiment_name: str | None = None
    artifact_uri: str | None = None
    is_pending: bool = False
    is_tried: bool = False
    after: tuple[str, ...] = ()


class RunFolder:
    """The folder of one run in the spool; nothing is made before it is written to."""

    def __init__(self, path: Path, run_id: str) -> None:
        """Point at *path*; `Spool.run` and `Spool.runs` make these."""
        self.path: Path = path
        self.run_id: str = run_id

    def beside(self, run_id: str) -> RunFolder:
        """Return the folder of another run of the same store."""
        return RunFolder(self.path.parent / folder_name(run_id), run_id)

    @property
    def artifacts(self) -> Path:
        """Where files of the run wait, as a plain tree."""
        return self.path / "artifacts"

    def make(self) -> None:
        """Create the folder, readable for its owner alone."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def journals(self) -> list[Path]:
        """Return the journals that wait here, in no order."""
        try:
            return [Path(found.path) for found in os.scandir(self.path) if found.name.endswith(SUFFIX)]
        except FileNotFoundError:
            return []

    def facts(self) -> RunFacts:
        """Return what is known of the run."""
        try:
            said = json.loads((self.path / "run.json").read_bytes())
            return RunFacts(**{**said, "after": tuple(said.get("after", ()))})
        except (OSError, ValueError, TypeError):
            return RunFacts(self.run_id)

    def note(self, **changes: object) -> RunFacts:
        """Change what is known of the run, such as `is_pending=True`; return all of it."""
        facts = evolve(self.facts(), **changes)  # type: ignore[arg-type]  # names and types are those of RunFacts
        self.make()
        write_whole(self.path / "run.json", json.dumps(asdict(facts)).encode())
        return facts

    def sent(self, writer: str) -> int:
        """Return how many bytes of a writer's journal are delivered."""
        try:
            return int((self.path / f"{writer}.sent").read_bytes())
        except (OSError, ValueError):
            return 0

    def note_sent(self, writer: str, position: int) -> None:
        """Remember that a journal is delivered up to *position*."""
        write_whole(self.path / f"{writer}.sent", str(position).encode())

    def forget(self, writer: str) -> None:
        """Remove a journal that is delivered, and what stands beside it; the folder too when nothing is left in it."""
        for ending in (SUFFIX, ".sent", ".lock"):
            (self.path / f"{writer}{ending}").unlink(missing_ok=True)
        self.tidy()

    def tidy(self) -> None:
        """Remove the folder when nothing waits in it and nothing was refused."""
        with contextlib.suppress(OSError):
            names = {found.name for found in self.path.iterdir()}
            facts = self.facts()
            # the id that a server chose is kept: the run may be named by its first one for a long time
            if names <= {"run.json"} and not facts.is_pending and facts.server_run_id is None:
                (self.path / "run.json").unlink(missing_ok=True)
                self.path.rmdir()

    def refuse(self, told: dict[str, object]) -> None:
        """Keep what the store did not take, one JSON object per line."""
        self.make()
        fd = os.open(self.path / "refused.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "ab") as file:
            file.write(json.dumps(_strict(told), ensure_ascii=True).encode() + b"\n")

    def refusals(self) -> list[dict[str, object]]:
        """Return what the store did not take, the oldest first."""
        try:
            lines = (self.path / "refused.jsonl").read_bytes().splitlines()
        except OSError:
            return []
        return [json.loads(line) for line in lines if line.endswith(b"}")]


class Spool:
    """All that waits for one store."""

    def __init__(self, root: Path, uri: str) -> None:
        """Use the folder of the store at *uri* below *root*; nothing is made yet."""
        self.root: Path = root
        self.uri: str = without_credentials(uri)
        self.path: Path = root / store_key(uri)

    def make(self) -> None:
        """Create the folder and its `store.json`. Raises OSError: it cannot be made."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = self.path / "store.json"
        if not about.exists():
            write_whole(about, json.dumps({"version": 1, "uri": self.uri}).encode())

    def run(self, run_id: str) -> RunFolder:
        """Return the folder of a run."""
        return RunFolder(self.path / folder_name(run_id), run_id)

    def runs(self) -> Iterator[RunFolder]:
        """Yield the folders of all runs of which something is here."""
        try:
            found = sorted(entry.name for entry in os.scandir(self.path) if entry.is_dir())
        except FileNotFoundError:
            return
        for name in found:
            folder = RunFolder(self.path / name, name)
            yield RunFolder(folder.path, folder.facts().run_id)

    def tidy(self) -> None:
        """Remove the folder of the store when no run is left in it."""
        with contextlib.suppress(OSError):
            if [found.name for found in self.path.iterdir()] == ["store.json"]:
                (self.path / "store.json").unlink()
                self.path.rmdir()


def spool_root(spool_dir: str | None) -> Path:
    """Return where the spool is: *spool_dir*, or below the user's state directory."""
    if spool_dir:
        return Path(spool_dir).expanduser().absolute()
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "mlcore" / "spool"


def spools(root: Path) -> list[Spool]:
    """Return the spools of all stores below *root* that can be read."""
    found = []
    for about in sorted(root.glob("*/store.json")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            spool = Spool(root, json.loads(about.read_bytes())["uri"])
            spool.path = about.parent
            found.append(spool)
    return found


def folder_name(run_id: str) -> str:
    """Return how the folder of a run is called."""
    if len(run_id.encode()) <= _LONGEST_NAME:
        return run_id
    return f"{run_id[:40]}-{hashlib.sha256(run_id.encode()).hexdigest()[:32]}"


def store_key(uri: str) -> str:
    """Return the name of a store's folder: the same for whoever connects, different for every place."""
    return f"{scheme(uri)}-{hashlib.sha256(without_credentials(uri).encode()).hexdigest()[:16]}"


def without_credentials(uri: str) -> str:
    """Return *uri* without passwords and tokens; the user stays where a database needs to know who asks."""
    try:
        split = urlsplit(uri)
    except ValueError:
        return uri
    user, at, host = split.netloc.rpartition("@")
    if at:
        name = "" if split.scheme in ("http", "https") else user.partition(":")[0]
        uri = uri.replace(f"//{split.netloc}", f"//{name}{at if name else ''}{host}", 1)
    if any(word in split.query.lower() for word in _SECRET):
        kept = [(k, v) for k, v in parse_qsl(split.query) if not any(word in k.lower() for word in _SECRET)]
        uri = uri.replace(f"?{split.query}", f"?{urlencode(kept)}" if kept else "", 1)
    return uri


def write_whole(path: Path, data: bytes) -> None:
    """Replace a file in one step; readers see the old content or the new one."""
    fresh = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def _strict(value: object) -> object:
    """The value with texts for the numbers that JSON does not know."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _strict(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(part) for part in value]
    return value
