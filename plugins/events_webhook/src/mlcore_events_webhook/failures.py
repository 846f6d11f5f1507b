"""What could not be delivered, written down where `mlcore webhooks` finds it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

_MOST_BYTES = 1_000_000


@frozen
class Failures:
    """A file of JSON lines, readable by its user alone; the older half goes when it grows too long."""

    path: Path

    @classmethod
    def of_user(cls) -> Failures:
        """Return the file below the user's state directory, or where `MLCORE_WEBHOOK_STATE_DIR` says."""
        given = os.environ.get("MLCORE_WEBHOOK_STATE_DIR")
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        return cls((Path(given) if given else Path(state) / "mlcore" / "webhooks") / "failures.jsonl")

    def add(self, endpoint: str, message_id: str, event: str, problem: str, attempts: int) -> None:
        """Write down one message that was given up. Raises OSError."""
        record = {
            "time": int(time.time() * 1000),
            "endpoint": endpoint,
            "id": message_id,
            "event": event,
            "attempts": attempts,
            "problem": problem,
        }
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._shorten()
        opened = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(opened, (json.dumps(record) + "\n").encode())  # one write: lines of processes do not mix
        finally:
            os.close(opened)

    def read(self) -> list[Mapping[str, object]]:
        """Return what was written down, the newest last; a line that was cut is left out."""
        try:
            lines = self.path.read_text("utf-8", "replace").splitlines()
        except FileNotFoundError:
            return []
        found: list[Mapping[str, object]] = []
        for line in lines:
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict):
                found.append(record)
        return found

    def clear(self) -> None:
        """Forget everything."""
        self.path.unlink(missing_ok=True)

    def _shorten(self) -> None:
        try:
            if self.path.stat().st_size < _MOST_BYTES:
                return
        except FileNotFoundError:
            return
        lines = self.path.read_bytes().splitlines(keepends=True)
        kept = self.path.with_suffix(f".{os.getpid()}")
        kept.write_bytes(b"".join(lines[len(lines) // 2 :]))
        kept.chmod(0o600)
        kept.replace(self.path)
