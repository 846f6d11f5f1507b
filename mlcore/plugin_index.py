"""The index of installed plugins: entry-point metadata only, nothing imported; switches, versions and hints."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping

from attrs import field, frozen

from mlcore import __version__
from mlcore.errors import PluginNotFoundError
from mlcore.plugin_metadata import installed
from mlcore.uris import local_path, redacted

KERNEL = "mlcore-kernel"
_GROUP = "mlcore"
_FIELD = re.compile(r"^(Name|Version|Summary|Requires-Dist):(.*)$", re.MULTILINE | re.IGNORECASE)
_CLAUSE = re.compile(r"^\s*(~=|==|!=|<=|>=|<|>)\s*([0-9][0-9A-Za-z.*+!-]*)\s*$")


@frozen
class ForeignPoint:
    """The entry point of another plugin system that a bridge offers as one of ours.

    group, value: as they stand in its distribution's metadata. bridge: the key of the bridge, such as `mlflow`.
    """

    group: str
    value: str
    bridge: str


@frozen
class PluginEntry:
    """One entry point of a plugin.

    hook: `tracking_store`, ...; empty for the always-on group.
    value: the module to import.
    about: the distribution's one-line summary; None when its metadata was not read.
    requires: the distribution's requirements as they stand in its metadata; None likewise.
    foreign: what it stands for, when a bridge offers it; `value` is then the bridge's module and a unique suffix.
    """

    hook: str
    key: str
    value: str
    dist: str
    version: str
    about: str | None = field(default=None, eq=False, repr=False)
    requires: tuple[str, ...] | None = field(default=None, eq=False, repr=False)
    foreign: ForeignPoint | None = None

    def __str__(self) -> str:
        if self.foreign:
            point = f"{self.foreign.value} in {self.foreign.group}, by the bridge {self.foreign.bridge}"
            return f"{self.dist} {self.version} (entry point {self.key} = {point})"
        group = f"{_GROUP}.{self.hook}" if self.hook else _GROUP
        return f"{self.dist} {self.version} (entry point {self.key} = {self.value} in {group})"


@frozen
class Selection:
    """Which plugins may be used.

    allowed, disabled: names of distributions, `hook:key`, or plain keys; disabled wins; None allows all.
    prefer: `hook:key` to the distribution that answers it.
    """

    allowed: tuple[str, ...] | None = None
    disabled: tuple[str, ...] = ()
    prefer: Mapping[str, str] = field(factory=dict)

    def allows(self, entry: PluginEntry) -> bool:
        """Whether *entry* may be imported."""
        names = {entry.dist, entry.key, f"{entry.hook}:{entry.key}"}
        if names.intersection(self.disabled):
            return False
        return self.allowed is None or bool(names.intersection(self.allowed))


def read_index() -> tuple[PluginEntry, ...]:
    """Read the entry points of all installed distributions, by hook, key and distribution.

    A distribution that cannot be read is left out.
    """
    found: list[PluginEntry] = []
    seen: set[str] = set()
    for points, head in installed(_GROUP):
        if f"[{_GROUP}" not in points.replace(" ", ""):
            continue
        header = _Header.of(head)
        name = normal(header.name)
        if name and name not in seen:  # the first on the path is the one that would be imported
            seen.add(name)
            found += _entries(points, header)
    return tuple(sorted(found, key=lambda e: (e.hook, e.key, e.dist)))


@frozen
class _Header:
    """What the index needs of a distribution's metadata."""

    name: str
    version: str
    about: str
    requires: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> _Header:
        head = text.partition("\n\n")[0]
        fields: dict[str, list[str]] = {}
        for key, value in _FIELD.findall(head):
            fields.setdefault(key.lower(), []).append(value.strip())
        single = {key: values[0] for key, values in fields.items()}
        requires = tuple(fields.get("requires-dist", ()))
        return cls(single.get("name", ""), single.get("version", ""), single.get("summary", ""), requires)


def _entries(text: str, header: _Header) -> Iterator[PluginEntry]:
    """The entry points of our groups in the text of an entry_points.txt."""
    group = ""
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            group = line[1:-1].strip()
        elif (group == _GROUP or group.startswith(_GROUP + ".")) and "=" in line and line[0] not in "#;":
            key, _, value = line.partition("=")
            yield PluginEntry(
                group.partition(".")[2],
                key.strip(),
                value.partition("[")[0].strip(),
                normal(header.name),
                header.version,
                header.about,
                header.requires,
            )


def summary(dist: str) -> str:
    """Return the one-line summary from a distribution's metadata."""
    import importlib_metadata  # here and below: the index does without

    try:
        return importlib_metadata.metadata(dist).get("Summary", "") or ""
    except importlib_metadata.PackageNotFoundError:
        return ""


def location(dist: str) -> str:
    """Return the folder that holds a distribution's packages; its source folder when it is installed editable."""
    import importlib_metadata

    try:
        found = importlib_metadata.distribution(dist)
    except importlib_metadata.PackageNotFoundError:
        return ""
    origin = json.loads(found.read_text("direct_url.json") or "{}")
    if origin.get("dir_info", {}).get("editable") and str(origin.get("url", "")).startswith("file:"):
        return str(local_path(origin["url"]))
    return str(found.locate_file(""))


def known_plugins() -> Mapping[str, Mapping[str, str]]:
    """Return the distributions that the kernel knows by name, by hook and key."""
    from importlib.resources import files

    known: dict[str, dict[str, str]] = json.loads((files("mlcore") / "known_plugins.json").read_text("utf-8"))
    return known


def kernel_mismatch(entry: PluginEntry) -> str | None:
    """Say why the plugin's own requirement on the kernel is not met; None when it is."""
    for line in _requirements(entry):
        name, _, marker = line.partition(";")
        parsed = re.match(r"^\s*([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*\(?([^)]*)\)?\s*$", name)
        if not parsed or normal(parsed[1]) != KERNEL or "extra" in marker:
            continue
        for clause in filter(None, parsed[2].split(",")):
            if not satisfies(__version__, clause):
                side = KERNEL if clause.strip()[0] in ">=~" else entry.dist
                return (
                    f"plugin {entry} needs {KERNEL}{parsed[2].strip()}, but {KERNEL} {__version__} is installed: "
                    f"pip install -U {side}"
                )
    return None


def _requirements(entry: PluginEntry) -> Iterable[str]:
    if entry.requires is not None:
        return entry.requires
    import importlib_metadata

    try:
        return importlib_metadata.requires(entry.dist) or []
    except importlib_metadata.PackageNotFoundError:
        return []


@functools.cache
def satisfies(version: str, clause: str) -> bool:
    """Whether *version* meets one clause such as `>=0.1`; a clause in a form not known here counts as met."""
    parsed = _CLAUSE.match(clause)
    if not parsed:
        return True
    operator, wanted = parsed[1], parsed[2]
    if wanted.endswith(".*"):
        matches = (version + ".").startswith(wanted[:-1])
        return matches if operator == "==" else not matches if operator == "!=" else True
    have, want = _release(version), _release(wanted)
    if operator == "~=":
        return have >= want and have[: max(1, len(_parts(wanted)) - 1)] == want[: max(1, len(_parts(wanted)) - 1)]
    return {
        "==": have == want,
        "!=": have != want,
        "<=": have <= want,
        ">=": have >= want,
        "<": have < want,
        ">": have > want,
    }[operator]


def install_hints(hook: str) -> Mapping[str, str]:
    """Return the distributions that are known to answer *hook*, by key."""
    return known_plugins().get(hook, {})


def not_found(
    hook: str, key: str, known: Iterable[str], entries: Iterable[PluginEntry], uri: str | None = None
) -> PluginNotFoundError:
    """Make the error for a key that nobody answers: what is installed, what was meant, what to install.

    uri: what the key is the scheme of.
    """
    import difflib

    entries = tuple(entries)
    switched_off = [e for e in entries if e.hook == hook and e.key == key]
    if switched_off:
        return PluginNotFoundError(
            f"{hook} {key!r} is offered by {switched_off[0]}, which the settings plugins or disable_plugins switch off"
        )
    installed = sorted(known)
    hints = install_hints(hook)
    near = difflib.get_close_matches(key, [*installed, *hints], n=1, cutoff=0.5) if key not in hints else []
    meant = f", did you mean {near[0]!r}?" if near else ""
    wanted = hints.get(key) or (hints.get(near[0]) if near and near[0] not in installed else None)
    upgrade = "-U " if wanted in {e.dist for e in entries} else ""  # it is there in a version without the key
    line = f". For {key if key in hints else near[0]}: pip install {upgrade}{wanted}" if wanted else ""
    word = "scheme" if hook in ("tracking_store", "registry_store", "artifact_repo") else "name"
    asked = f"asked for {redacted(uri)!r}; " if uri else ""
    return PluginNotFoundError(
        f"no installed plugin answers {hook} {word} {key!r}{meant} ({asked}installed: {', '.join(installed) or 'none'}){line}"
    )


def normal(name: str) -> str:
    """Return a distribution's name in the form in which names are compared: `My_Plugin` is `my-plugin`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _parts(version: str) -> list[str]:
    return version.partition("+")[0].split(".")


def _release(version: str) -> tuple[int, ...]:
    numbers = [int(m[0]) for part in _parts(version) if (m := re.match(r"\d+", part))]
    return tuple((numbers + [0] * 6)[:6])
