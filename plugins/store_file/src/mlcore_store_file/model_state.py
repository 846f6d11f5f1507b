"""Registered models, put together from their journals in the order of their entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter

from attrs import define, evolve, field

from mlcore.entities import ModelVersion, ModelVersionStatus, Note, Recorded, RegisteredModel
from mlcore.wire.stages import ARCHIVED, STAGES
from mlcore_store_file.clock import Stamp
from mlcore_store_file.logged_state import texts

Data = Mapping[str, object]
MODEL, MODEL_CHANGE, MODEL_REMOVAL = "model", "model_change", "model_removal"
VERSION, VERSION_CHANGE, VERSION_REMOVAL = "version", "version_change", "version_removal"
ALIAS, TAG = "alias", "tag"


@define
class ModelState:
    """A registered model at one point of its history.

    versions: by token; the number that a version was given is in `wanted`, the one that it has in `numbers`.
    incarnation: which of the models of this name it is, after a removal.
    """

    model: RegisteredModel | None = None
    incarnation: str = ""
    named: Stamp = (-1, "", -1)
    versions: dict[str, ModelVersion] = field(factory=dict)
    wanted: dict[str, int] = field(factory=dict)
    removed: set[str] = field(factory=set)
    aliases: dict[str, str] = field(factory=dict)

    def apply(self, stamp: Stamp, note: Note) -> None:
        """Take the next entry in."""
        steps = {
            MODEL: self._create,
            MODEL_CHANGE: self._change,
            MODEL_REMOVAL: self._remove,
            VERSION: self._version,
            VERSION_CHANGE: self._change_version,
            VERSION_REMOVAL: self._remove_version,
            ALIAS: self._alias,
            TAG: self._tag,
        }
        step = steps.get(note.name)
        if step is not None and (self.model is not None or note.name in (MODEL, VERSION)):
            step(stamp, note.data)

    def numbers(self) -> dict[str, int]:
        """Return the number of each version that ever was, by token.

        Whoever was first by time and writer has the number that it wanted; another one that two machines gave at once
        gets the next that nobody wanted.
        """
        taken: dict[int, str] = {}
        late: list[str] = []
        for token, number in self.wanted.items():  # in the order of the entries
            if taken.setdefault(number, token) != token:
                late.append(token)
        number = 0
        for token in late:
            while number in taken or number == 0:
                number += 1
            taken[number] = token
        return {token: number for number, token in taken.items()}

    def shown(self) -> RegisteredModel | None:
        """Return the model as it is shown."""
        if self.model is None:
            return None
        versions = self.shown_versions()
        latest: dict[str, ModelVersion] = {}
        for each in versions:
            latest[each.current_stage] = each
        numbers = self.numbers()
        return evolve(
            self.model,
            tags=dict(self.model.tags),
            latest_versions=tuple(latest[stage] for stage in STAGES if stage in latest),
            aliases={alias: str(numbers[token]) for alias, token in self.aliases.items()},
        )

    def shown_versions(self) -> list[ModelVersion]:
        """Return the versions as they are shown, by number."""
        numbers = self.numbers()
        name = self.model.name if self.model else ""
        return [
            evolve(
                self.versions[token],
                name=name,
                version=str(numbers[token]),
                tags=dict(self.versions[token].tags),
                aliases=tuple(sorted(alias for alias, held in self.aliases.items() if held == token)),
            )
            for token in sorted(self.versions, key=numbers.__getitem__)
        ]

    def _create(self, stamp: Stamp, data: Data) -> None:
        times = data.get("times")
        made, changed = (int(times[0]), int(times[1])) if isinstance(times, list) else (stamp[0], stamp[0])
        tags = texts(data.get("tags"))
        if self.model is None:
            self.model = RegisteredModel(str(data["name"]), made, changed, str(data.get("description", "")), tags=tags)
            self.named, self.incarnation = stamp, str(data["token"])
        else:  # made on another machine as well: one model
            text = self.model.description or str(data.get("description", ""))
            self.model = evolve(self.model, description=text, tags={**tags, **self.model.tags})

    def _change(self, stamp: Stamp, data: Data) -> None:
        model = self._model()
        name, text = data.get("name"), data.get("description")
        self.model = evolve(
            model,
            name=str(name) if name else model.name,
            description=model.description if text is None else str(text),
            last_updated_timestamp=stamp[0],
        )
        if name:
            self.named = stamp
            for token, each in self.versions.items():
                self.versions[token] = evolve(each, last_updated_timestamp=stamp[0])

    def _remove(self, stamp: Stamp, data: Data) -> None:
        del stamp, data
        self.model, self.incarnation = None, ""
        self.versions, self.wanted, self.aliases, self.removed = {}, {}, {}, set()

    def _version(self, stamp: Stamp, data: Data) -> None:
        if self.model is None:  # removed on a machine that did not know of this version
            self._create(stamp, {"name": data["model"], "token": data["token"]})
        token = str(data["token"])
        times = data.get("times")
        made, changed = (int(times[0]), int(times[1])) if isinstance(times, list) else (stamp[0], stamp[0])
        if token in self.wanted:
            return
        number = data["number"]
        self.wanted[token] = number if isinstance(number, int) else 0
        self.versions[token] = ModelVersion(
            "",
            "",
            str(data["source"]),
            made,
            changed,
            _optional(data.get("run_id")),
            _optional(data.get("run_link")),
            current_stage=str(data.get("stage") or "None"),
            status=ModelVersionStatus(str(data.get("status") or ModelVersionStatus.READY.value)),
            status_message=str(data.get("status_message") or ""),
            description=str(data.get("description") or ""),
            user_id=str(data.get("user_id") or ""),
            tags=texts(data.get("tags")),
        )
        if not isinstance(times, list):
            self._touch(stamp)
        for alias in _list(data.get("aliases")):
            self.aliases.setdefault(alias, token)

    def _change_version(self, stamp: Stamp, data: Data) -> None:
        token, stage, text = str(data["version"]), data.get("stage"), data.get("description")
        if token not in self.versions:
            return
        if data.get("archive") and stage:
            for other, each in self.versions.items():
                if other != token and each.current_stage == stage:
                    self.versions[other] = evolve(each, current_stage=ARCHIVED, last_updated_timestamp=stamp[0])
        old = self.versions[token]
        self.versions[token] = evolve(
            old,
            description=old.description if text is None else str(text),
            current_stage=str(stage) if stage else old.current_stage,
            last_updated_timestamp=stamp[0],
        )
        self._touch(stamp)

    def _remove_version(self, stamp: Stamp, data: Data) -> None:
        token = str(data["version"])
        if self.versions.pop(token, None) is not None:
            self.removed.add(token)
            self.aliases = {alias: held for alias, held in self.aliases.items() if held != token}
            self._touch(stamp)

    def _alias(self, stamp: Stamp, data: Data) -> None:
        del stamp
        alias, token = str(data["alias"]), data.get("version")
        if token is None:
            self.aliases.pop(alias, None)
        elif str(token) in self.versions:
            self.aliases[alias] = str(token)

    def _tag(self, stamp: Stamp, data: Data) -> None:
        del stamp
        key, value, token = str(data["key"]), data.get("value"), data.get("version")
        if token is None:
            model = self._model()
            self.model = evolve(model, tags=_tagged(model.tags, key, value))
        elif str(token) in self.versions:
            old = self.versions[str(token)]
            self.versions[str(token)] = evolve(old, tags=_tagged(old.tags, key, value))

    def _touch(self, stamp: Stamp) -> None:
        self.model = evolve(self._model(), last_updated_timestamp=stamp[0])

    def _model(self) -> RegisteredModel:
        if self.model is None:
            raise RuntimeError("an entry of a model that is not there was not left out")
        return self.model


@define
class ModelHistory:
    """All entries about one model, and what they come to."""

    entries: list[tuple[Stamp, Note]] = field(factory=list)
    state: ModelState = field(factory=ModelState)
    tokens: set[str] = field(factory=set)
    greatest_at: int = 0

    def take(self, news: Sequence[tuple[Stamp, Recorded]]) -> None:
        """Take in what was recorded; what belongs before entries that are known is put there."""
        fresh = [(stamp, note) for stamp, note in news if isinstance(note, Note)]
        if not fresh:
            return
        fresh.sort(key=itemgetter(0))
        is_later = not self.entries or fresh[0][0] > self.entries[-1][0]
        self.entries += fresh
        if not is_later:
            self.entries.sort(key=itemgetter(0))
            self.state = ModelState()
            fresh = self.entries
        for stamp, note in fresh:
            self.state.apply(stamp, note)
            self.tokens.add(str(note.data.get("token")))
        self.greatest_at = self.entries[-1][0][0]


def _tagged(tags: Mapping[str, str], key: str, value: object) -> dict[str, str]:
    kept = {each: text for each, text in tags.items() if each != key}
    return kept if value is None else {**kept, key: str(value)}


def _optional(given: object) -> str | None:
    return None if given is None else str(given)


def _list(given: object) -> list[str]:
    return [str(each) for each in given] if isinstance(given, list) else []
