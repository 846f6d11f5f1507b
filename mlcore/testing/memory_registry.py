"""A registry store in memory: a fake for tests, and the shortest complete example of the contract."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from mlcore.entities import ModelVersion, MoveKind, MoveNote, Page, RegisteredModel
from mlcore.errors import AlreadyExistsError, NotFoundError
from mlcore.testing.memory_moves import Line, now_ms
from mlcore.testing.memory_paging import page_of
from mlcore.testing.memory_requests import MemoryRequests
from mlcore.tracking.evaluate_registry import model_matches, sort_models, sort_versions, version_matches
from mlcore.wire.filter_parser import parse_model_filter, parse_model_order, parse_version_filter, parse_version_order
from mlcore.wire.moves import adopting
from mlcore.wire.stages import STAGES, canonical_stage


class MemoryRegistryStore(MemoryRequests):
    """Keep registered models in a dict; one lock makes each method one step."""

    def create_model(self, name: str, *, description: str, tags: Mapping[str, str]) -> RegisteredModel:
        """Create a registered model. Raises AlreadyExistsError: the name is taken."""
        with self._lock:
            self._refuse_taken(name)
            now = now_ms()
            self._begin(Line(RegisteredModel(name, now, now, description, tags=dict(tags))), self._note)
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
            line, now = self._line(name), now_ms()
            if new_name is not None and new_name != name:
                self._refuse_taken(new_name)
                self._remember(line, MoveKind.MODEL, name, name, new_name, self._note)
                self.lines[new_name] = self.lines.pop(name)
                line.versions = {
                    number: evolve(found, name=new_name, last_updated_timestamp=now)
                    for number, found in line.versions.items()
                }
            text = line.model.description if description is None else description
            line.model = evolve(line.model, name=new_name or name, description=text, last_updated_timestamp=now)
            return self.get_model(new_name or name)

    def delete_model(self, name: str) -> None:
        """Remove a registered model with all its versions."""
        with self._lock:
            line = self._line(name)
            for alias in sorted(line.aliases):
                self._to_version(line, alias, "", self._note)
            for number, found in line.versions.items():
                self._remember(line, MoveKind.VERSION, number, found.source, "", self._note)
            self._remember(line, MoveKind.MODEL, name, name, "", self._note)
            self._cancel(line, None, self._note)
            del self.lines[name]

    def search_models(
        self, filter_string: str, *, order_by: tuple[str, ...], max_results: int, page_token: str | None
    ) -> Page[RegisteredModel]:
        """Return a page of registered models, by name unless ordered otherwise."""
        tree, order = parse_model_filter(filter_string), parse_model_order(order_by)
        with self._lock:
            found = [model for name in self.lines if model_matches(tree, model := self.get_model(name))]
        return page_of(sort_models(found, order), max_results, page_token)

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
            now = now_ms()
            made = ModelVersion(
                name, str(line.count), source, now, now, run_id, run_link, description=description, tags=dict(tags)
            )
            line.versions[made.version] = made
            self._came(line, made, self._note)
            line.model = evolve(line.model, last_updated_timestamp=now)
            return made

    def adopt_model(self, model: RegisteredModel) -> RegisteredModel:
        """Create a registered model with the times, description and tags that it has elsewhere."""
        with self._lock:
            if model.name not in self.lines:
                bare = evolve(model, latest_versions=(), tags=dict(model.tags), aliases={})
                self._begin(Line(bare), adopting(self._note))
            return self.get_model(model.name)

    def adopt_version(self, version: ModelVersion) -> ModelVersion:
        """Create a version with the number, times, stage, status, tags and aliases that it has elsewhere."""
        with self._lock:
            line, number = self._line(version.name), version.version
            if number not in line.versions:
                kept = {**line.versions, number: evolve(version, aliases=(), tags=dict(version.tags))}
                line.versions = dict(sorted(kept.items(), key=lambda pair: int(pair[0])))
                line.count = max(line.count, int(number))
                note = adopting(self._note)
                self._came(line, version, note)
                for alias in version.aliases:
                    self._to_version(line, alias, line.aliases.get(alias, number), note)
            return self.get_version(version.name, number)

    def get_version(self, name: str, version: str) -> ModelVersion:
        """Return one version."""
        with self._lock:
            return self._shown(self._line(name), self._bare(name, version))

    def update_version(
        self, name: str, version: str, *, description: str | None, stage: str | None, archive_existing: bool
    ) -> ModelVersion:
        """Describe a version or move it to a stage; None leaves as it is."""
        with self._lock:
            line = self._line(name)
            if stage is None:
                stage, archive_existing = self._bare(name, version).current_stage, False
            kept = canonical_stage(stage, archive_existing=archive_existing)
            self.move_stage(name, version, kept, archive_existing=archive_existing, note=self._note, expected=None)
            if description is not None:
                line.versions[version] = evolve(line.versions[version], description=description)
            return self.get_version(name, version)

    def delete_version(self, name: str, version: str) -> None:
        """Remove one version and the aliases that point to it; its number is not used again."""
        self.remove_version(name, version, note=self._note, force=True)

    def search_versions(
        self, filter_string: str, *, order_by: tuple[str, ...], max_results: int, page_token: str | None
    ) -> Page[ModelVersion]:
        """Return a page of versions, the last changed first unless ordered otherwise."""
        tree, order = parse_version_filter(filter_string), parse_version_order(order_by)
        with self._lock:
            shown = [self._shown(line, each) for line in self.lines.values() for each in line.versions.values()]
        found = [each for each in shown if version_matches(tree, each)]
        return page_of(sort_versions(found, order), max_results, page_token)

    def set_alias(self, name: str, alias: str, version: str | None) -> None:
        """Point *alias* to a version; None removes it."""
        self.move_alias(name, alias, version, note=self._note, expected=None)

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

    def _begin(self, line: Line, note: MoveNote) -> None:
        name = line.model.name
        self.lines[name] = line
        self._remember(line, MoveKind.MODEL, name, "", name, note)

    def _refuse_taken(self, name: str) -> None:
        if name in self.lines:
            raise AlreadyExistsError(f"registered model {name!r} already exists: choose another name")


def _tagged(tags: Mapping[str, str], key: str, value: str | None) -> dict[str, str]:
    kept = {each: text for each, text in tags.items() if each != key}
    return kept if value is None else {**kept, key: value}
