"""Run context providers of MLflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, cast

from mlcore.errors import PluginError
from mlcore.plugin_index import PluginEntry
from mlcore_bridge_mlflow.faults import Guard
from mlcore_bridge_mlflow.loading import built, quiet


class TheirProvider(Protocol):
    """MLflow's RunContextProvider."""

    def in_context(self) -> bool:
        """Whether the provider has something to tell."""
        ...

    def tags(self) -> Mapping[str, object] | None:
        """Return it."""
        ...


def tags_of(entry: PluginEntry) -> Mapping[str, str] | None:
    """Return the provider's tags as texts; None outside of its context. Raises PluginError: they are no mapping."""
    make = built(entry)
    with Guard(entry, "in_context and tags"), quiet():
        provider = cast(TheirProvider, make())
        found = provider.tags() if provider.in_context() else None
    if found is None:
        return None
    if not isinstance(found, Mapping):
        raise PluginError(f"{entry} cannot be used: tags() returned a {type(found).__name__}, expected a dict")
    return {str(key): str(value) for key, value in found.items() if value is not None}
