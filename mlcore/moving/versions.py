"""Registered models: lines and versions with their numbers; what people of the target have decided there stays."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import define, evolve, field

from mlcore.entities import ModelVersion, ModelVersionStatus, RegisteredModel
from mlcore.errors import (
    EndpointNotFoundError,
    InvalidParameterError,
    MlcoreError,
    NotFoundError,
    StoreUnavailableError,
    UnsupportedError,
)
from mlcore.interfaces import RegistryStore, SupportsModelAdoption
from mlcore.moving.experiments import Pair
from mlcore.moving.histories import copy_history
from mlcore.moving.ids import RunIds
from mlcore.moving.origins import Origins
from mlcore.moving.sides import Job
from mlcore.wire.stages import NO_STAGE

_PAGE = 100
# Marks versions that only stand in for a number; they are removed at once, or by the next copy.
FILLER = "mlcore.filler"


def copy_registry(job: Job, pairs: list[Pair], ids: RunIds) -> None:
    """Copy registered models with the versions that were chosen."""
    source, target = job.source.registry, job.target.registry
    if source is None:
        return
    origins = Origins(job, ids, frozenset(each.source.experiment_id for each in pairs))
    try:
        for model in _models(source):
            versions = [each for each in _versions(source, model.name) if origins.is_chosen(each)]
            if job.choice.is_part and not versions:
                continue
            if target is None:
                job.tally.lack("registered models", repr(model.name))
                continue
            try:
                _Line(job, target, origins, model).copy(versions)
            except InvalidParameterError as err:  # such as a name that the target cannot keep
                job.tally.lack("registered models", err.message)
    except (UnsupportedError, EndpointNotFoundError) as err:
        job.tally.lack("registries that one side does not have", err.message)


def _models(registry: RegistryStore) -> Iterator[RegisteredModel]:
    token: str | None = None
    while True:
        page = registry.search_models("", order_by=(), max_results=_PAGE, page_token=token)
        for model in page.items:
            # Listings of MLflow's servers leave out aliases.
            yield registry.get_model(model.name)
        token = page.next_token
        if token is None:
            return


def _versions(registry: RegistryStore, name: str) -> list[ModelVersion]:
    """Return all versions of a model by number."""
    quote = "'" if "'" not in name else '"'
    text = f"name = {quote}{name}{quote}" if quote not in name else ""
    found: list[ModelVersion] = []
    token: str | None = None
    while True:
        page = registry.search_versions(text, order_by=(), max_results=_PAGE, page_token=token)
        found += [each for each in page.items if each.name == name]
        token = page.next_token
        if token is None:
            return sorted(found, key=lambda each: int(each.version))


@define(eq=False)
class _Line:
    """One registered model on its way."""

    job: Job
    target: RegistryStore
    origins: Origins
    source: RegisteredModel
    _highest: int = field(default=0, init=False)

    def copy(self, versions: list[ModelVersion]) -> None:
        """Make the model or complete it, then its versions, then its aliases."""
        name = self.source.name
        there = _found(self.target, name)
        copy_history(self.job, self.target, name)
        if there is None:
            self._make()
            self.job.tally.add(models=1)
        else:
            self._complete(there)
        known = {} if there is None else {each.version: each for each in _versions(self.target, name)}
        for number, each in list(known.items()):
            self._highest = max(self._highest, int(number))
            if FILLER in each.tags:
                self._remove(known.pop(number))
        same = {each.version for each in versions if self._copy_version(each, known.get(each.version))}
        self._copy_aliases(same)

    def _make(self) -> None:
        source, target = self.source, self.target
        if isinstance(target, SupportsModelAdoption):
            self.job.write(lambda: target.adopt_model(source))
            return
        self.job.write(lambda: target.create_model(source.name, description=source.description, tags=source.tags))
        self.job.tally.lack("times of registered models", repr(source.name))

    def _complete(self, there: RegisteredModel) -> None:
        name, tally = self.source.name, self.job.tally
        for key, value in self.source.tags.items():
            if key not in there.tags:
                self._set_tag(None, key, value)
            elif there.tags[key] != value:
                tally.lack("tags of registered models that differ in the target", f"{name!r}: {key!r}")
        if self.source.description and not there.description:
            text = self.source.description
            self.job.write(lambda: self.target.update_model(name, new_name=None, description=text))
        elif self.source.description != there.description:
            tally.lack("descriptions of registered models that differ in the target", repr(name))

    def _copy_version(self, source: ModelVersion, there: ModelVersion | None) -> bool:
        """Make a version or complete it; return whether the target's is the same one."""
        wanted = evolve(source, source=self.origins.moved(source), run_id=self.origins.run_id(source))
        shown = f"{source.name!r} version {source.version}"
        if there is not None:
            if not _is_same(there, wanted, source):
                self.job.tally.lack("model versions whose number another one has in the target", shown)
                return False
            self._complete_version(wanted, there, shown)
            return True
        try:
            made = self._make_version(wanted, shown)
        except StoreUnavailableError:
            raise
        except MlcoreError as err:
            self.job.tally.lack("model versions that the target refuses", f"{shown}: {err.message}")
            return False
        self.job.tally.add(versions=int(made))
        return made

    def _make_version(self, wanted: ModelVersion, shown: str) -> bool:
        target = self.target
        if isinstance(target, SupportsModelAdoption):
            self.job.write(lambda: target.adopt_version(wanted))
            return True
        if self.job.choice.dry_run:
            self.job.write(lambda: None)
            return True
        made = self._make_numbered(wanted)
        if made is None:
            self.job.tally.lack("model versions whose number the target has used already", shown)
            return False
        self.job.tally.lack("times of model versions", shown)
        if wanted.user_id and made.user_id != wanted.user_id:
            self.job.tally.lack("users of model versions", shown)
        if wanted.status != ModelVersionStatus.READY:
            self.job.tally.lack("status of model versions that are not ready", shown)
        self._complete_version(wanted, made, shown)
        return True

    def _make_numbered(self, wanted: ModelVersion) -> ModelVersion | None:
        """Create a version with the wanted number; numbers before it are used up by versions that go again."""
        number = int(wanted.version)
        while self._highest < number - 1:
            self._remove(self._create(wanted, {FILLER: "1"}))
        made = self._create(wanted, {}) if self._highest < number else None
        if made is not None and made.version != wanted.version:
            self._remove(made)  # somebody had removed the highest ones
            return None
        return made

    def _remove(self, version: ModelVersion) -> None:
        self.job.write(lambda: self.target.delete_version(version.name, version.version))

    def _create(self, wanted: ModelVersion, extra: dict[str, str]) -> ModelVersion:
        made = self.target.create_version(
            wanted.name,
            wanted.source,
            run_id=wanted.run_id,
            run_link=wanted.run_link,
            description=wanted.description,
            tags={**wanted.tags, **extra},
        )
        self.job.tally.add(writes=1)
        self._highest = int(made.version)
        return made

    def _complete_version(self, wanted: ModelVersion, there: ModelVersion, shown: str) -> None:
        tally, name, number = self.job.tally, wanted.name, wanted.version
        for key, value in wanted.tags.items():
            if key not in there.tags:
                self._set_tag(number, key, value)
            elif there.tags[key] != value:
                tally.lack("tags of model versions that differ in the target", f"{shown}: {key!r}")
        stage = wanted.current_stage if there.current_stage in ("", NO_STAGE) else None
        stage = None if stage in ("", NO_STAGE) else stage
        text = wanted.description if wanted.description and not there.description else None
        if stage is not None or text is not None:
            self.job.write(
                lambda: self.target.update_version(name, number, description=text, stage=stage, archive_existing=False)
            )
        if stage is None and wanted.current_stage != there.current_stage:
            tally.lack("stages of model versions that differ in the target", shown)
        if text is None and wanted.description != there.description:
            tally.lack("descriptions of model versions that differ in the target", shown)
        if there.source not in (wanted.source, ""):
            tally.lack("sources of model versions that differ in the target", shown)

    def _set_tag(self, number: str | None, key: str, value: str) -> None:
        self.job.write(lambda: self.target.set_tag(self.source.name, number, key, value))
        self.job.tally.add(values=1)

    def _set_alias(self, alias: str, number: str) -> None:
        self.job.write(lambda: self.target.set_alias(self.source.name, alias, number))

    def _copy_aliases(self, same: set[str]) -> None:
        """Set the aliases that the target does not have; *same*: the versions that it has."""
        name, there = self.source.name, _found(self.target, self.source.name)
        known = there.aliases if there is not None else {}
        for alias, number in self.source.aliases.items():
            if number in same and alias not in known:
                self._set_alias(alias, number)
            elif number in same and known[alias] != number:
                self.job.tally.lack("aliases that point elsewhere in the target", f"{name!r}: {alias!r}")


def _found(registry: RegistryStore, name: str) -> RegisteredModel | None:
    try:
        return registry.get_model(name)
    except NotFoundError:
        return None


def _is_same(there: ModelVersion, wanted: ModelVersion, source: ModelVersion) -> bool:
    """Whether two versions of one number are one version: made by the same run, or of the same files."""
    if there.run_id and wanted.run_id:
        return there.run_id == wanted.run_id
    return there.source in (wanted.source, source.source)
