"""Find MLflow's entry points in the metadata of installed distributions; nothing is imported."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions

from attrs import evolve

from mlcore.plugin_index import ForeignPoint, PluginEntry, normal

BRIDGE = "mlflow"
# MLflow's group to our hook. Its other groups extend MLflow's own server, evaluation and tracing.
HOOKS = {
    "mlflow.tracking_store": "tracking_store",
    "mlflow.model_registry_store": "registry_store",
    "mlflow.artifact_repository": "artifact_repo",
    "mlflow.run_context_provider": "run_context",
    "mlflow.project_backend": "project_backend",
    "mlflow.deployments": "deployer",
}
_MODULE = "mlcore_bridge_mlflow.plugin"
_HEADER = re.compile(r"^(Name|Version|Summary|Requires-Dist):[ \t]*(.*)$", re.MULTILINE | re.IGNORECASE)


def installed(wanted: tuple[str, ...] = ()) -> tuple[PluginEntry, ...]:
    """Return an entry for each entry point that can be bridged.

    wanted: names of distributions, hooks, MLflow's groups with or without `mlflow.`, or keys; empty for all.
    """
    found: list[PluginEntry] = []
    seen: set[str] = set()
    for dist in distributions():
        text = dist.read_text("entry_points.txt") or ""
        if "[mlflow." not in text.replace(" ", ""):
            continue
        entries = list(_entries(dist, text))
        if entries and entries[0].dist not in seen:  # the first on the path is the one that would be imported
            seen.add(entries[0].dist)
            found += entries
    return _distinct([entry for entry in found if not wanted or _names(entry).intersection(wanted)])


def _entries(dist: Distribution, text: str) -> Iterator[PluginEntry]:
    """The entries of one distribution; lines that are none are passed over."""
    head = (dist.read_text("METADATA") or dist.read_text("PKG-INFO") or "").partition("\n\n")[0]
    fields: dict[str, list[str]] = {}
    for key, value in _HEADER.findall(head):
        fields.setdefault(key.lower(), []).append(value.strip())
    name, version = (fields.get(key, [""])[0] for key in ("name", "version"))
    about, requires = fields.get("summary", [""])[0], tuple(fields.get("requires-dist", ()))
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            group = line[1:-1].strip()
        elif name and group in HOOKS and "=" in line and line[0] not in "#;":
            key, _, value = (part.strip() for part in line.partition("="))
            point = ForeignPoint(group, value.partition("[")[0].strip(), BRIDGE)
            unique = f"{_MODULE}:{normal(name)}/{group}/{key}"
            yield PluginEntry(HOOKS[group], key, unique, normal(name), version, about, requires, point)


def _names(entry: PluginEntry) -> set[str]:
    group = entry.foreign.group if entry.foreign else ""
    return {entry.dist, entry.hook, entry.key, f"{entry.hook}:{entry.key}", group, group.partition(".")[2]}


def _distinct(entries: list[PluginEntry]) -> tuple[PluginEntry, ...]:
    """Leave out what two distributions name alike, as mlflow and mlflow-skinny do, and give each run context its key.

    MLflow asks every context whatever it is called, and many are called `unused`.
    """
    unique: dict[tuple[str, ForeignPoint | None], PluginEntry] = {}
    for entry in sorted(entries, key=lambda each: each.dist):
        unique.setdefault((entry.key, entry.foreign), entry)
    contexts = [entry.key for entry in unique.values() if entry.hook == "run_context"]
    return tuple(
        evolve(entry, key=f"{entry.key}@{entry.dist}")
        if entry.hook == "run_context" and contexts.count(entry.key) > 1
        else entry
        for entry in unique.values()
    )
