"""An environment manager in memory: a fake whose environments all are the running interpreter."""

from __future__ import annotations

import hashlib
import re
import sys
import threading
import time

from mlcore.errors import InvalidParameterError, NotFoundError
from mlcore.interfaces import EnvironmentRecord, EnvironmentSpec

_NAME = re.compile(r"[A-Za-z0-9._\-]+")


class MemoryEnvironment:
    """Keep environments in a dict of id to specification."""

    def __init__(self) -> None:
        """Start without environments."""
        self.made: dict[str, EnvironmentSpec] = {}
        self.created_ms: dict[str, int] = {}
        self.used_ms: dict[str, int] = {}
        self._lock = threading.Lock()

    def create(self, spec: EnvironmentSpec) -> str:
        """Remember the specification unless it is known; return its id."""
        missing = [line for line in spec.requirements if line.startswith("no-such-thing")]
        if missing:
            raise InvalidParameterError(f"cannot install {missing[0]!r}: there is no such distribution")
        text = repr((spec.python, sorted(spec.requirements), spec.build_requirements))
        env_id = hashlib.sha256(text.encode()).hexdigest()[:16]
        with self._lock:
            self.made.setdefault(env_id, spec)
            self.used_ms[env_id] = time.time_ns() // 1_000_000
            self.created_ms.setdefault(env_id, self.used_ms[env_id])
        return env_id

    def command(self, env_id: str, argv: tuple[str, ...]) -> tuple[str, ...]:
        """Return *argv* with the running interpreter in place of `python`."""
        self._find(env_id)
        self.used_ms[env_id] = time.time_ns() // 1_000_000
        return (sys.executable, *argv[1:]) if argv[:1] == ("python",) else argv

    def lock(self, env_id: str) -> tuple[str, ...]:
        """Return the requirements as if the first version of each were installed."""
        spec = self._find(env_id)
        lines = (*spec.build_requirements, *spec.requirements)
        return tuple(f"{found[0]}==1.0" for line in lines if (found := _NAME.match(line)))

    def list(self) -> tuple[str, ...]:
        """Return the ids of all environments, sorted."""
        with self._lock:
            return tuple(sorted(self.made))

    def remove(self, env_id: str) -> None:
        """Forget an environment. Raises NotFoundError: no such environment."""
        self._find(env_id)
        with self._lock:
            for each in (self.made, self.created_ms, self.used_ms):
                each.pop(env_id, None)

    def describe(self, env_id: str) -> EnvironmentRecord:
        """Return what is known of an environment. Raises NotFoundError: no such environment."""
        spec = self._find(env_id)
        return EnvironmentRecord(
            env_id, self.created_ms[env_id], self.used_ms[env_id], 0, spec.python or "", spec.requirements
        )

    def _find(self, env_id: str) -> EnvironmentSpec:
        with self._lock:
            if env_id not in self.made:
                raise NotFoundError(f"no environment {env_id!r} (known: {', '.join(sorted(self.made)) or 'none'})")
            return self.made[env_id]
