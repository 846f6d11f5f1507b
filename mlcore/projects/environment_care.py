"""The environments that all installed managers keep: listed, and removed when nobody needs them."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable, Iterator

from attrs import frozen

from mlcore.errors import InvalidParameterError, InvalidStateError, MlcoreError, NotFoundError
from mlcore.hookspecs import HookSpecs
from mlcore.interfaces import EnvironmentManager, EnvironmentRecord
from mlcore.interfaces.environment import SupportsDescribing
from mlcore.plugins import Plugins

logger: logging.Logger = logging.getLogger(__name__)

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


@frozen
class KeptEnvironment:
    """An environment and the name of the manager that made it."""

    manager: str
    record: EnvironmentRecord


@frozen
class Removal:
    """What came of removing an environment. reason: why it is still there; empty when it is gone."""

    environment: KeptEnvironment
    reason: str = ""


def kept(plugins: Plugins, manager: str | None = None) -> Iterator[KeptEnvironment]:
    """Yield all environments of the managers that are installed, or of one; those last used first.

    A manager that can't be asked, as what it stands on is missing, is left out, which is logged.
    Raises PluginNotFoundError: *manager* is not installed.
    """
    found: list[KeptEnvironment] = []
    for name in [manager] if manager is not None else plugins.keys("environment"):
        try:
            records = [*_records(plugins.first(HookSpecs.environment, name=name))]
        except MlcoreError as err:
            if manager is not None:
                raise
            logger.warning("environments of %s are not counted: %s", name, err.message)
            continue
        found += (KeptEnvironment(name, record) for record in records)
    yield from sorted(found, key=lambda each: (-each.record.used_ms, each.manager, each.record.env_id))


def one(plugins: Plugins, word: str) -> KeptEnvironment:
    """Return the environment whose id is, or begins with, *word*. Raises NotFoundError: there is none, or several."""
    everything = list(kept(plugins))
    found = [each for each in everything if each.record.env_id == word]
    found = found or [each for each in everything if word and each.record.env_id.startswith(word)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(each.record.env_id for each in found or everything) or "none"
    raise NotFoundError(f"{'several environments begin' if found else 'no environment begins'} with {word!r}: {names}")


def unused(environments: Iterable[KeptEnvironment], seconds: float) -> list[KeptEnvironment]:
    """Return those of *environments* that nobody has used for *seconds*."""
    limit = time.time_ns() // 1_000_000 - int(seconds * 1000)
    return [each for each in environments if each.record.used_ms <= limit]


def remove(plugins: Plugins, environments: Iterable[KeptEnvironment]) -> Iterator[Removal]:
    """Remove *environments* and tell of each; one that is in use stays, one that is gone already is gone."""
    for each in environments:
        try:
            plugins.first(HookSpecs.environment, name=each.manager).remove(each.record.env_id)
        except NotFoundError:
            yield Removal(each)
        except InvalidStateError as err:
            yield Removal(each, err.message)
        else:
            yield Removal(each)


def seconds_of(text: str) -> float:
    """Return the seconds in a span such as `30d`, `12h` or `2w`. Raises InvalidParameterError: it is none."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhdw])", text.strip().lower())
    if found is None:
        raise InvalidParameterError(f"invalid span {text!r}: expected a number with s, m, h, d or w, such as '30d'")
    return float(found[1]) * _UNITS_S[found[2]]


def _records(manager: EnvironmentManager) -> Iterator[EnvironmentRecord]:
    for env_id in manager.list():
        if isinstance(manager, SupportsDescribing):
            try:
                yield manager.describe(env_id)
            except NotFoundError:
                continue  # removed meanwhile
        else:
            yield EnvironmentRecord(env_id, 0, 0, 0)
