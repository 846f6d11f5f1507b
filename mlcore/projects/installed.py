"""What is installed in an environment, as exact requirement lines; read from its metadata, by no other process."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

from mlcore.projects.credentials import stripped


def lock_of(site_packages: Iterable[Path]) -> tuple[str, ...]:
    """Return the lock of the environment with these directories of libraries."""
    return lock_lines(metadata.distributions(path=[str(each) for each in site_packages]))


def lock_lines(distributions: Iterable[metadata.Distribution]) -> tuple[str, ...]:
    """Return `name==version` for each distribution, or `name @ URL` where it comes from a URL; sorted, no passwords."""
    found: dict[str, str] = {}
    for each in distributions:
        if (line := _line(each)) is not None:
            found.setdefault(re.sub(r"[-_.]+", "-", line[0]).lower(), line[1])
    return tuple(found[name] for name in sorted(found))


def _line(distribution: metadata.Distribution) -> tuple[str, str] | None:
    try:
        name, version = distribution.metadata["Name"], distribution.version
    except (KeyError, FileNotFoundError):
        return None  # half installed: its metadata is missing
    if not name or not version:
        return None
    try:
        origin = json.loads(distribution.read_text("direct_url.json") or "null")
    except ValueError:
        origin = None
    where = _where(origin) if isinstance(origin, Mapping) else None
    return name, f"{name} @ {where}" if where else f"{name}=={version}"


def _where(origin: Mapping[str, object]) -> str | None:
    url = origin.get("url")
    if not isinstance(url, str) or not url:
        return None
    url = stripped(url)
    vcs, archive = origin.get("vcs_info"), origin.get("archive_info")
    folder = f"#subdirectory={origin['subdirectory']}" if origin.get("subdirectory") else ""
    if isinstance(vcs, Mapping):
        return f"{vcs.get('vcs', 'git')}+{url}@{vcs.get('commit_id', '')}{folder}"
    hashes = archive.get("hashes") if isinstance(archive, Mapping) else None
    if isinstance(hashes, Mapping) and hashes.get("sha256") and not folder:
        return f"{url}#sha256={hashes['sha256']}"
    return f"{url}{folder}"
