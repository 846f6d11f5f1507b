"""Waiting for changes: one watch at a time, after which the caller looks afresh, so that no lost event matters."""

from __future__ import annotations

import http.client
import json
import math
import time
from collections.abc import Mapping

from mlcore.errors import ConflictError, StoreUnavailableError
from mlcore_project_kubernetes.api import Api
from mlcore_project_kubernetes.plain import table, text

LOOK_S = 5.0  # what no watch tells is seen this much later at most
_GRACE_S = 10.0
_PAUSE_S = 0.2


def changed(
    api: Api, path: str, version: str, timeout_s: float = LOOK_S, **selector: str
) -> Mapping[str, object] | None:
    """Wait until something that *selector* chooses has changed since *version*, or *timeout_s* seconds.

    Returns the object as it was last when it has been deleted; None otherwise, also when the watch was cut off or too old.
    """
    began = time.monotonic()
    query = {
        "watch": "true",
        "resourceVersion": version,
        "timeoutSeconds": str(max(1, math.ceil(timeout_s))),
        **selector,
    }
    try:
        with api.stream(path, min(timeout_s, LOOK_S) + _GRACE_S, **query) as response:
            for line in response:
                event = table(json.loads(line))
                if text(event, "type") == "DELETED":
                    return table(event, "object")
                if text(event, "type") in ("ADDED", "MODIFIED"):
                    return None
                break  # ERROR: too old a version, which is 410 Gone
    except (OSError, http.client.HTTPException, ValueError, ConflictError, StoreUnavailableError):
        pass  # the next look tells what became of it, and is patient
    if time.monotonic() - began < _PAUSE_S:
        time.sleep(_PAUSE_S)  # not to ask all the time what answers badly
    return None
