"""What other processes do to a registry store while its contract suite watches.

Run as a program: plugin module, URI, what to do, its arguments. It says `ready`, waits for a line, then works.
"""

from __future__ import annotations

import importlib
import sys

from mlcore.entities import MoveNote
from mlcore.errors import AlreadyExistsError, ConflictError
from mlcore.interfaces import RegistryStore, SupportsMoves
from mlcore.testing.processes import say

MODEL = "iris"
TWIN = "iris renamed"


def open_registry(module: str, uri: str) -> RegistryStore:
    """Open the registry at *uri* by the hook of the plugin *module*."""
    registry = importlib.import_module(module).registry_store(uri=uri)
    if not isinstance(registry, RegistryStore):
        raise TypeError(f"{module}.registry_store({uri!r}) returned {registry!r}, expected a RegistryStore")
    return registry


def main(module: str, uri: str, work: str, *arguments: str) -> None:
    """Open the registry, wait for the signal, and work."""
    registry = open_registry(module, uri)
    say("ready")
    sys.stdin.readline()
    if work == "create":
        say(_create(registry, arguments[0]))
    elif work == "versions":
        say(" ".join(_add(registry, f"{arguments[0]}-{number}") for number in range(5)))
    elif work == "promote":
        promote(registry, arguments[0])
        say("done")
    elif work == "claim":
        say(_claim(registry, arguments[0]))
    elif work == "publish for ever":
        _publish_for_ever(registry)
    else:
        _rename_for_ever(registry)
    registry.close()


def promote(registry: RegistryStore, version: str) -> None:
    """Make a version the only one in production."""
    registry.update_version(MODEL, version, description=None, stage="Production", archive_existing=True)


def _create(registry: RegistryStore, name: str) -> str:
    try:
        registry.create_model(name, description="", tags={})
    except AlreadyExistsError:
        return "taken"
    return "created"


def _claim(registry: RegistryStore, version: str) -> str:
    """Take an alias that nobody has."""
    if not isinstance(registry, SupportsMoves):
        return "unable"
    try:
        registry.move_alias(MODEL, "best", version, note=MoveNote(f"process {version}"), expected="")
    except ConflictError as error:
        return str(error)
    return "won"


def _add(registry: RegistryStore, mark: str) -> str:
    """Add a version whose parts say that they belong together."""
    tags = {"mark": mark, "more": mark}
    made = registry.create_version(MODEL, f"s3://b/{mark}", run_id=None, run_link=None, description=mark, tags=tags)
    return made.version


def _publish_for_ever(registry: RegistryStore) -> None:
    for number in range(1_000_000):
        version = _add(registry, str(number))
        promote(registry, version)
        registry.set_alias(MODEL, "best", version)
        say(version)


def _rename_for_ever(registry: RegistryStore) -> None:
    names = (MODEL, TWIN)
    for number in range(1_000_000):
        registry.update_model(names[number % 2], new_name=names[1 - number % 2], description=None)
        say(str(number))


if __name__ == "__main__":
    main(*sys.argv[1:])
