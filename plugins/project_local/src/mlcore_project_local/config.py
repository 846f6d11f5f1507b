"""The configuration of the local backend."""

from __future__ import annotations

from collections.abc import Mapping

from mlcore.errors import ProjectError

_GRACE_S = 10.0


def grace_of(config: Mapping[str, object]) -> float:
    """Return how long a command has between SIGTERM and SIGKILL, in seconds.

    Raises ProjectError: a key that is not known, or a value that cannot be used; the message names the key.
    """
    unknown = sorted(set(config) - {"grace_s"})
    if unknown:
        raise ProjectError(
            f"unknown key {unknown[0]!r} in the configuration of the backend 'local': it has 'grace_s' only"
        )
    grace_s = config.get("grace_s", _GRACE_S)
    if isinstance(grace_s, bool) or not isinstance(grace_s, (int, float)) or not 0 <= grace_s < float("inf"):
        raise ProjectError(f"invalid 'grace_s' {grace_s!r} of the backend 'local': expected seconds, 0 or more")
    return float(grace_s)
