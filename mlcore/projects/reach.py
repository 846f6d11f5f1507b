"""Whether a job on another machine can record where its caller does."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from urllib.parse import urlsplit

from mlcore.errors import ProjectError

_LOGGER = logging.getLogger("mlcore.projects")
_HERE = frozenset(("", "localhost", "127.0.0.1", "::1", "0.0.0.0"))  # noqa: S104  # compared with, not listened on
_ELSEWHERE = ("databricks", "databricks-uc")


def is_here(host: str) -> bool:
    """Whether a host name means this machine and nothing else."""
    return host.lower() in _HERE or host.startswith("127.")


def check_tracking(env: Mapping[str, str], place: str, *, is_told: bool = True) -> None:
    """Check that a job with these variables can record from another machine; warn where that cannot be known.

    place: what runs the job, for people, such as `the Ray cluster 'http://ray:8265'`.
    is_told: whether to warn; one of several checks of the same job is enough for that.
    Raises ProjectError: the runs are kept in a file of this machine.
    """
    uri = env.get("MLFLOW_TRACKING_URI") or env.get("MLCORE_TRACKING_URI")
    if not uri or uri.split(":", 1)[0] in _ELSEWHERE:
        return
    found = urlsplit(uri)
    if found.scheme in ("http", "https"):
        if is_told and is_here(found.hostname or ""):
            _LOGGER.warning(
                "the tracking server %r has an address of this machine alone; %s may not find it there: give it an "
                "address that both know",
                f"{found.scheme}://{found.hostname}:{found.port or ''}".rstrip(":"),
                place,
            )
        return
    if found.scheme in ("", "file", "sqlite") or found.scheme.startswith("sqlite+") or is_here(found.hostname or ""):
        shown = found.scheme or uri
        raise ProjectError(
            f"{place} cannot record into {shown!r}, which is a place on this machine: start a server there by "
            "'mlcore server', and set MLCORE_TRACKING_URI to its URL, as other machines know it"
        )
