"""A registry store in memory: a fake for tests, and the shortest complete example of the contract."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from attrs import define, evolve, field

from mlcore.entities import ModelVersion, Page, RegisteredModel
from mlcore.errors import AlreadyExistsError, InvalidParameterError, NotFoundError
from mlcore.testing.memory_paging import page_of
from mlcore.wire.filter_values import like

STAGES = ("None", "Staging", "Production", "Archived")
_TEST = re.compile(r"\s*(name|run_id|source_path|tags\.(\w+))\s*(=|!=|LIKE|ILIKE)\s*'([^']*)'\s*$")
_ORDER = re.compile(r"(name|creation_timestamp|last_updated_timestamp|version_number)(?: (ASC|DESC))?$")
T = TypeVar("T", RegisteredModel, ModelVersion)


@define
class _Line:
    """A registered model with what belongs to it."""

    model: RegisteredModel
    versions: dict[str, ModelVersion] = field(factory=dict)
    aliases: dict[str, str] = field(factory=dict)
    count: int = 0


class MemoryRegistryStore:
    """Keep registered models in a dict; one lock makes each method one step."""

    def __init__(self) -> None:
        """Start empty."""
        self.lines: dict[str, _Line] = {}
        self._lock = threading.RLock()

    def create_model(self, name: str, *, description: str, tags: Mapping[str, str]) -> RegisteredModel:
        """Create a registered model. Raises AlreadyExistsError: the name is taken."""
        with self._lock:
            self._refuse_taken(name)
            now = _now()
            self.lines[name] = _Line(RegisteredModel(name, now, now, description, tags=dict(tags)))
            return self.get_model(name)

    def get_model(self, name: str) -> RegisteredModel:
        """Return a registered model with its latest versions and aliases."""
        with self._lock:
            line = self._line(name)
            latest = {found.current_stage: found for found in line.versions.values()}
            versions = tuple(self._shown(line, latest[stage]) for stage in STAGES if stage in latest)
            return evolve(line.model, latest_versions=versions, aliases=dict(line.aliases))

    def update_model(self, name: str, *, new_name: str | None, description: str | None) -> RegisteredModel:
        """Rename or describe; None leaves as it is. Raises AlreadyExistsError: the new name is taken."""
        with self._lock:
            line = self._line(name)
            if new_name is not None and new_name != name:
                self._refuse_taken(new_name)
                self.lines[new_name] = self.lines.pop(name)
                line.versions = {number: evolve(found, name=new_name) for number, found in line.versions.items()}
            text = line.model.description if description is None else description
            line.model = evolve(line.model, name=new_name or name, description=text, last_updated_timestamp=_now())
            return self.get_model(new_name or name)

    def delete_model(self, name: str) -> None:
        """Remove a registered model with all its versions."""
        with self._lock:
            self._line(name)
            del self.lines[name]

    def search_models(
        self, filter_string: str, *, order_by: tuple[str, ...], max_results: int, page_token: str | None
    ) -> Page[RegisteredModel]:
        """Return a page of registered models, by name unless ordered otherwise."""
        with self._lock:
            fits = _filter(filter_string)
            found = [model for name in sorted(self.lines) if fits(model := self.get_model(name))]
        return page_of(_ordered(found, order_by), max_results, page_token)

    def create_version(
        self,
        name: str,
        source: str,
        *,
        run_id: str | None,
        run_link: str | None,
        description: str,
        tags: Mapping[str, str],
    ) -> ModelVersion:
        """Add the next version."""
        with self._lock:
            line = self._line(name)
            line.count += 1
            now = _now()
            made = ModelVersion(
                name, str(line.count), source, now, now, run_id, run_link, description=description, tags=dict(tags)
            )
            line.versions[made.version] = made
            return made

    def get_version(self, name: str, version: str) -> ModelVersion:
        """Return one version."""
        with self._lock:
            line = self._line(name)
            if version not in line.versions:
                raise NotFoundError(f"no version {version!r} of model {name!r} (known: {', '.join(line.versions)})")
            return self._shown(line, line.versions[version])

    def update_version(
        self, name: str, version: str, *, description: str | None, stage: str | None, archive_existing: bool
    ) -> ModelVersion:
        """Describe a version or move it to a stage; None leaves as it is."""
        with self._lock:
            found, line = self.get_version(name, version), self._line(name)
            if stage is not None and stage not in STAGES:
                raise InvalidParameterError(f"unknown stage {stage!r}: expected one of {', '.join(STAGES)}")
            if archive_existing and stage is not None:
                for number, other in line.versions.items():
                    if number != version and other.current_stage == stage:
                        line.versions[number] = evolve(other, current_stage="Archived", last_updated_timestamp=_now())
            line.versions[version] = evolve(
                found,
                description=found.description if description is None else description,
                current_stage=stage or found.current_stage,
                last_updated_timestamp=_now(),
            )
            return self.get_version(name, version)

    def delete_version(self, name: str, version: str) -> None:
        """Remove one version and the aliases that point to it; its number is not used again."""
        with self._lock:
            self.get_version(name, version)
            line = self._line(name)
            del line.versions[version]
            line.aliases = {alias: number for alias, number in line.aliases.items() if number != version}

    def search_versions(
        self, filter_string: str, *, order_by: tuple[str, ...], max_results: int, page_token: str | None
    ) -> Page[ModelVersion]:
        """Return a page of versions, the last changed first unless ordered otherwise."""
        with self._lock:
            fits = _filter(filter_string)
            shown = [self._shown(line, each) for line in self.lines.values() for each in line.versions.values()]
        found = [each for each in shown if fits(each)]
        found.sort(key=lambda each: (-each.last_updated_timestamp, each.name, -int(each.version)))
        return page_of(_ordered(found, order_by), max_results, page_token)

    def set_alias(self, name: str, alias: str, version: str | None) -> None:
        """Point *alias* to a version; None removes it."""
        with self._lock:
            line = self._line(name)
            if version is None:
                line.aliases.pop(alias, None)
            else:
                line.aliases[alias] = self.get_version(name, version).version

    def get_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """Return the version that *alias* points to."""
        with self._lock:
            line = self._line(name)
            if alias not in line.aliases:
                raise NotFoundError(f"no alias {alias!r} of model {name!r} (known: {', '.join(line.aliases)})")
            return self.get_version(name, line.aliases[alias])

    def set_tag(self, name: str, version: str | None, key: str, value: str | None) -> None:
        """Set a tag of the model, or of one version; the value None removes it."""
        with self._lock:
            line = self._line(name)
            if version is None:
                line.model = evolve(line.model, tags=_tagged(line.model.tags, key, value))
            else:
                found = self.get_version(name, version)
                line.versions[version] = evolve(found, tags=_tagged(found.tags, key, value))

    def close(self) -> None:
        """Do nothing."""

    def _line(self, name: str) -> _Line:
        if name not in self.lines:
            raise NotFoundError(f"no registered model {name!r}: create it first")
        return self.lines[name]

    def _refuse_taken(self, name: str) -> None:
        if name in self.lines:
            raise AlreadyExistsError(f"registered model {name!r} already exists: choose another name")

    def _shown(self, line: _Line, version: ModelVersion) -> ModelVersion:
        aliases = tuple(sorted(alias for alias, number in line.aliases.items() if number == version.version))
        return evolve(version, aliases=aliases)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _tagged(tags: Mapping[str, str], key: str, value: str | None) -> dict[str, str]:
    kept = {each: text for each, text in tags.items() if each != key}
    return kept if value is None else {**kept, key: value}


def _filter(text: str) -> Callable[[RegisteredModel | ModelVersion], bool]:
    """Read tests of texts joined by AND; a store with a language of its own reads all that it knows."""
    tests = [_TEST.match(part) for part in text.split(" AND ")] if text.strip() else []
    if None in tests:
        raise InvalidParameterError(
            f"cannot read the filter {text!r}: expected tests such as name = 'x' AND tags.k = 'v'"
        )

    def fits(found: RegisteredModel | ModelVersion) -> bool:
        return all(_holds(test, found) for test in tests if test is not None)

    return fits


def _holds(test: re.Match[str], found: RegisteredModel | ModelVersion) -> bool:
    name, tag, op, wanted = test.groups()
    key = "source" if name == "source_path" else name
    value = found.tags.get(tag) if tag else getattr(found, key, None)
    if value is None:
        return False
    if op in ("LIKE", "ILIKE"):
        return like(str(value), wanted, ignore_case=op == "ILIKE")
    return (value == wanted) == (op == "=")


def _ordered(found: list[T], order_by: tuple[str, ...]) -> list[T]:
    for clause in reversed(order_by):
        read = _ORDER.match(clause)
        if read is None:
            raise InvalidParameterError(f"cannot read the order {clause!r}: expected a field, then ASC or DESC")
        found = sorted(found, key=_key(read[1]), reverse=read[2] == "DESC")
    return found


def _key(name: str) -> Callable[[RegisteredModel | ModelVersion], tuple[int, str]]:
    def key(found: RegisteredModel | ModelVersion) -> tuple[int, str]:
        value = getattr(found, "version", "0") if name == "version_number" else getattr(found, name)
        return (int(value), "") if name != "name" else (0, str(value))

    return key
