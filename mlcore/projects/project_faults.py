"""Faults of a file, collected with their places, so that all of them are told at once."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from functools import lru_cache

from attrs import Factory, define

from mlcore.errors import ProjectError
from mlcore.wire.yaml_places import YamlNode

MOST = 50


@define
class Faults:
    """The faults of the file *name*, in the order of their places."""

    name: str
    found: list[tuple[int, int, str]] = Factory(list)
    notes: list[str] = Factory(list)

    def add(self, node: YamlNode, path: str, what: str) -> None:
        """Keep a fault at the place of *node*; *path* are the keys that lead there, with dots."""
        self.found.append((node.line, node.column, f"{path}: {what}" if path else what))

    def refuse(self) -> None:
        """Raise ProjectError that lists the faults, if there are any."""
        if not self.found:
            return
        lines = [f"{self.name}:{line}:{column}: {what}" for line, column, what in sorted(self.found)]
        if len(lines) == 1:
            raise ProjectError(lines[0])
        more = [f"and {len(lines) - MOST} more"] if len(lines) > MOST else []
        raise ProjectError("\n  ".join([f"{self.name} has {len(lines)} faults:", *lines[:MOST], *more]))

    def tell(self) -> None:
        """Log what is no fault, and yet probably not what was meant: each once per process, however often it is read."""
        for note in self.notes:
            _told(note)

    def mapping(self, node: YamlNode, path: str) -> dict[str, tuple[YamlNode, YamlNode]]:
        """Return a mapping's key and value nodes by key; nothing for an empty value, and a fault for another one."""
        if is_empty(node):
            return {}
        if node.kind != "mapping":
            self.add(node, path, f"expected keys with values, not {shown(node)}")
            return {}
        pairs: dict[str, tuple[YamlNode, YamlNode]] = {}
        for key, value in node.items():
            name = key.text()
            if name is None:
                self.add(key, path, f"a key has to be text, not a {key.kind}")
            elif name in pairs:
                self.add(key, joined(path, name), f"the key is there twice, first in line {pairs[name][0].line}")
            else:
                pairs[name] = (key, value)
        return pairs

    def known_keys(self, pairs: dict[str, tuple[YamlNode, YamlNode]], path: str, known: Sequence[str]) -> None:
        """Add a fault for each key that looks like a misspelt one of *known*; other keys are somebody else's."""
        for name, (key, _) in pairs.items():
            if name not in known and (near := nearest(name, [each for each in known if each not in pairs])):
                self.add(key, joined(path, name), f"unknown key, did you mean {near!r}?")

    def note_misspelt(self, pairs: dict[str, tuple[YamlNode, YamlNode]], path: str, known: Sequence[str]) -> None:
        """Note each key that looks like a misspelt one of *known* that is there too."""
        present = [each for each in known if each in pairs]
        for name, (key, _) in pairs.items():
            if name not in known and (near := nearest(name, present)):
                self._note(key, joined(path, name), f"the unknown key is passed over; {near!r} is there too")

    def note_unknown(self, pairs: dict[str, tuple[YamlNode, YamlNode]], path: str, known: Sequence[str]) -> None:
        """Note each key that is none of *known*."""
        for name, (key, _) in pairs.items():
            if name not in known:
                self._note(key, joined(path, name), f"the unknown key is passed over; known are {', '.join(known)}")

    def _note(self, node: YamlNode, path: str, what: str) -> None:
        self.notes.append(f"{self.name}:{node.line}:{node.column}: {path}: {what}")

    def text(self, node: YamlNode, path: str) -> str | None:
        """Return a text or number as text; None and a fault for what is none, or is empty."""
        text = node.text()
        if text is None or is_empty(node):
            self.add(node, path, f"expected a text, not {shown(node)}")
            return None
        if "\0" in text:
            self.add(node, path, "a text cannot hold a NUL character")
            return None
        return text

    def elements(self, node: YamlNode, path: str) -> list[YamlNode]:
        """Return a list's values; nothing for an empty value, and a fault for what is no list."""
        if is_empty(node):
            return []
        if node.kind != "sequence":
            self.add(node, path, f"expected a list, not {shown(node)}")
            return []
        return node.elements()


@lru_cache(maxsize=1000)
def _told(note: str) -> None:
    logging.getLogger(__name__).warning("%s", note)


def is_empty(node: YamlNode) -> bool:
    """Return whether nothing is written there, or `null`."""
    return node.kind == "scalar" and node.is_null


def joined(path: str, name: str) -> str:
    """Return the path one key further."""
    return f"{path}.{name}" if path else name


def shown(node: YamlNode) -> str:
    """Return a node's value for a message, cut when it is long."""
    if node.kind != "scalar":
        return "a list" if node.kind == "sequence" else "a mapping"
    text = repr(node.text()) if not is_empty(node) else "nothing"
    return text if len(text) <= 60 else f"{text[:57]}..."


def nearest(name: str, known: Iterable[str], cutoff: float = 0.75) -> str | None:
    """Return the one of *known* that *name* was probably meant to be."""
    import difflib  # here: files without faults do without it

    near = difflib.get_close_matches(name, list(known), n=1, cutoff=cutoff)
    return near[0] if near else None


def is_float(text: str) -> bool:
    """Return whether a program that reads *text* with Python's `float` gets a number, NaN and infinities included."""
    try:
        float(text)
    except ValueError:
        return False
    return True
