"""Bridges: what offers the installed plugins of another plugin system as ours, when the setting `bridges` names it.

A bridge is a module with the functions of `Bridge`, named by an entry point in the group `mlcore.bridge`. It is no hook:
it is asked once, when plugins are discovered, and brings entries to the index. What the setting does not name is
neither imported nor looked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from mlcore.plugin_index import PluginEntry, Selection

BRIDGE = "bridge"
# hooks that everybody answers: there is no key to take away
_GATHERED = ("run_context", "run_monitor", "web", "ui_extensions", "before_transition", "event")


class Bridge(Protocol):
    """The functions of a bridge's module; it imports the standard library and mlcore only."""

    def installed(self, wanted: tuple[str, ...]) -> Sequence[PluginEntry]:
        """Return what is installed, from metadata alone: an entry with `foreign` for each.

        wanted: names of distributions, hooks, the other system's groups, or keys; empty for everything.
        """
        ...

    def plugin(self, entry: PluginEntry) -> object:
        """Return an object whose methods implement `entry.hook`, marked with `hookimpl`; imports nothing foreign."""
        ...

    def load(self, entry: PluginEntry) -> object:
        """Import what *entry* stands for, for an examination. Raises anything that the import raises."""
        ...


def asked(bridges: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Read the setting: `("mlflow:a", "mlflow:b")` is `{"mlflow": ("a", "b")}`; a plain name asks for everything."""
    found: dict[str, tuple[str, ...]] = {}
    for text in bridges:
        name, _, wanted = text.partition(":")
        everything = not wanted or found.get(name) == ()
        found[name] = () if everything else (*found.get(name, ()), wanted)
    return found


def offered(
    found: Iterable[PluginEntry], known: Sequence[PluginEntry], selection: Selection
) -> tuple[PluginEntry, ...]:
    """Return the entries of a bridge that count, by hook, key and distribution.

    A plugin of our own that answers the same key goes first, unless the setting `prefer` names the other.
    """
    own = {(e.hook, e.key) for e in known if selection.allows(e)}

    def counts(entry: PluginEntry) -> bool:
        taken = entry.hook not in _GATHERED and (entry.hook, entry.key) in own
        return not taken or selection.prefer.get(f"{entry.hook}:{entry.key}") == entry.dist

    return tuple(sorted(filter(counts, found), key=lambda e: (e.hook, e.key, e.dist)))
