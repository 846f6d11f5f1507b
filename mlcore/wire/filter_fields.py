"""What can be searched: the fields of runs and experiments, their other names, comparators and kinds of value."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from attrs import field, frozen

from mlcore.entities.filters import Field
from mlcore.errors import FilterError
from mlcore.wire.filter_tokens import Token
from mlcore.wire.limits import KEY_LENGTH

STATS = ("last", "min", "max", "count")

_EQUAL = ("=", "!=")
_LIST = ("IN", "NOT IN")
_TEXT = (*_EQUAL, "LIKE", "ILIKE", *_LIST)
_SIZE = (*_EQUAL, "<", "<=", ">", ">=")
_NULL = ("IS NULL", "IS NOT NULL")


@frozen
class Rule:
    """How a field may be compared.

    text_ops: comparators that take a quoted text; `IN` and `NOT IN` take a list of them.
    number_ops: comparators that take a bare number.
    null_ops: comparators without a value.
    quoted_numbers: whether a number may stand in quotes.
    number_lists: whether `IN` and `NOT IN` take a list of numbers.
    """

    text_ops: tuple[str, ...] = ()
    number_ops: tuple[str, ...] = ()
    null_ops: tuple[str, ...] = ()
    quoted_numbers: bool = False
    number_lists: bool = False

    @property
    def operators(self) -> tuple[str, ...]:
        """All comparators, each once."""
        lists = _LIST if self.number_lists else ()
        return tuple(dict.fromkeys((*self.number_ops, *self.text_ops, *lists, *self.null_ops)))


@frozen
class Name:
    """A field as written: `entity.key`, ``entity.`key`.suffix`` or a bare `key`.

    quoted: whether the key was in quotes, and so is never taken apart.
    suffix: what follows a quoted key after a dot, or None.
    start: the name's first token; key_column: where the key begins.
    """

    entity: str | None
    key: str
    quoted: bool
    suffix: str | None
    start: Token
    key_column: int


@frozen
class Vocabulary:
    """The fields of one kind of object.

    noun: `run`, `experiment` and so on.
    entities: every accepted entity prefix to its canonical entity.
    attributes: canonical attribute names to their rules.
    aliases: other names of attributes.
    rules: the rule of each entity that takes the user's own keys.
    dataset: the keys of the entity `dataset`.
    sortable: the entities that can be ordered by.
    hints: what to do instead, for attributes that people expect.
    stats: the aggregates of a metric's curve; without any, a key that ends in `.min` is a key like others.
    bare_texts: whether a text may stand without quotes.
    """

    noun: str
    entities: Mapping[str, str]
    attributes: Mapping[str, Rule]
    rules: Mapping[str, Rule]
    sortable: tuple[str, ...]
    dataset: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(factory=dict)
    hints: Mapping[str, str] = field(factory=dict)
    stats: tuple[str, ...] = STATS
    bare_texts: bool = False

    def rule(self, found: Field) -> Rule:
        """Return how *found*, a field of this vocabulary, may be compared."""
        return self.attributes[found.key] if found.entity == "attribute" else self.rules[found.entity]

    def attribute(self, key: str) -> str | None:
        """Return the canonical name of the attribute that *key* names, or None."""
        key = self.aliases.get(key, key)
        return key if key in self.attributes else None

    def field(self, name: Name, text: str) -> Field:
        """Return the field that *name* stands for.

        text: the whole filter, for the error.
        Raises FilterError: no such entity, attribute, dataset key or aggregate.
        """
        for part in (name.entity or "", name.key):
            if len(part) > KEY_LENGTH:
                message = f"the name has {len(part)} characters, at most {KEY_LENGTH} are allowed"
                raise FilterError(message, text, name.start.column)
        entity = "attribute" if name.entity is None else self.entities.get(name.entity)
        if entity is None:
            raise FilterError(self._unknown_entity(name), text, name.start.column)
        if name.suffix is not None and entity != "metric":
            raise FilterError(f"unexpected '.{name.suffix}' after the quoted key {name.key!r}", text, name.key_column)
        if entity == "attribute":
            return self._attribute(name, text)
        if not name.key:
            raise FilterError(f"the key of {name.entity}. is missing", text, name.key_column)
        if entity == "metric":
            return _metric(name, text, self.stats)
        if entity == "dataset" and name.key not in self.dataset:
            message = f"invalid dataset key {name.key!r}{_choices(name.key, self.dataset, 'valid keys')}"
            raise FilterError(message, text, name.key_column)
        return Field(entity, name.key)

    def _attribute(self, name: Name, text: str) -> Field:
        key = self.attribute(name.key)
        if key is not None:
            return Field("attribute", key)
        message = f"invalid attribute key {name.key!r}"
        if name.key in self.entities:
            message += f": write {name.key}.KEY with a key of your own"
        elif name.key in self.hints:
            message += f": {self.hints[name.key]}"
        else:
            known = [*self.attributes, *self.aliases]
            message += _choices(name.key, known, f"valid attributes of {self.noun}s", self.attributes)
            if name.entity is None:
                message += f"; {self._owned(name.key)}"
        raise FilterError(message, text, name.key_column)

    def _owned(self, key: str) -> str:
        shown = f"`{key}`" if " " in key else key
        places = [f"{entity}s.{shown}" for entity in ("metric", "param", "tag") if entity in self.rules]
        return f"keys of your own are written {' or '.join(places)}"

    def _unknown_entity(self, name: Name) -> str:
        entity = name.entity or ""
        message = f"invalid entity type {entity!r}"
        if entity == "mlflow" and "tag" in self.rules:
            return f"{message}, did you mean tags.mlflow.{name.key}?"
        if entity.partition(".")[0] in self.entities:
            first, _, rest = entity.partition(".")
            return f"{message}: put the whole key into quotes, {first}.`{rest}.{name.key}`"
        if entity.lower() in self.entities:
            return f"{message}, did you mean {entity.lower()!r}? Entity types are written in lower case"
        canonical = dict.fromkeys(self.entities.values())
        return message + _choices(entity, self.entities, f"valid entity types of {self.noun}s", canonical)


def _metric(name: Name, text: str, stats: tuple[str, ...]) -> Field:
    if name.suffix is not None:
        if name.suffix in stats:
            return Field("metric", name.key, name.suffix)
        choices = _choices(name.suffix, stats, "valid aggregates") if stats else ", there are none here"
        raise FilterError(f"invalid aggregate {name.suffix!r} of metric {name.key!r}{choices}", text, name.key_column)
    key, dot, stat = name.key.rpartition(".")
    if not name.quoted and key and dot and stat in stats:
        return Field("metric", key, stat)
    return Field("metric", name.key)


def _choices(word: str, known: Iterable[str], what: str, shown: Iterable[str] = ()) -> str:
    """Suggest the nearest of the *known* words, then list those to be *shown*, by default all."""
    by_lower = {each.lower(): each for each in known}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.5)
    suggestion = f", did you mean {by_lower[near[0]]!r}? " if near else ", "
    return f"{suggestion}{what} are {', '.join(repr(each) for each in shown or by_lower.values())}"


_NUMBER = Rule(number_ops=_SIZE, number_lists=True)
_ATTRIBUTE = ("attributes", "attribute", "attr")
_TAG = ("tags", "tag")

RUNS = Vocabulary(
    noun="run",
    entities={
        **dict.fromkeys(("metrics", "metric"), "metric"),
        **dict.fromkeys(("params", "param", "parameters", "parameter"), "param"),
        **dict.fromkeys(_TAG, "tag"),
        **dict.fromkeys((*_ATTRIBUTE, "run"), "attribute"),
        **dict.fromkeys(("datasets", "dataset"), "dataset"),
    },
    attributes={
        "run_id": Rule(_TEXT),
        "run_name": Rule(_TEXT),
        "status": Rule(_TEXT),
        "artifact_uri": Rule(_TEXT),
        "user_id": Rule(_TEXT),
        "start_time": _NUMBER,
        "end_time": _NUMBER,
        "duration": _NUMBER,
    },
    aliases={
        "run name": "run_name",
        "Run name": "run_name",
        "Run Name": "run_name",
        "created": "start_time",
        "Created": "start_time",
    },
    rules={
        "metric": _NUMBER,
        "param": Rule(_TEXT, _SIZE, _NULL, number_lists=True),
        "tag": Rule(_TEXT, null_ops=_NULL),
        "dataset": Rule(_TEXT),
    },
    dataset=("name", "digest", "context"),
    sortable=("attribute", "metric", "param", "tag"),
    hints={
        "experiment_id": "give the experiment ids to the search itself, not to its filter",
        "experiment_ids": "give the experiment ids to the search itself, not to its filter",
        "lifecycle_stage": "choose active or deleted runs by the view of the search, not by its filter",
        "run_uuid": "it is called run_id",
        "source_name": "it is the tag tags.mlflow.source.name",
    },
)

EXPERIMENTS = Vocabulary(
    noun="experiment",
    entities={**dict.fromkeys(_TAG, "tag"), **dict.fromkeys(_ATTRIBUTE, "attribute")},
    attributes={
        "name": Rule(_TEXT),
        "experiment_id": Rule((*_EQUAL, *_LIST)),
        "creation_time": _NUMBER,
        "last_update_time": _NUMBER,
    },
    rules={"tag": Rule(_TEXT, null_ops=_NULL)},
    sortable=("attribute",),
    hints={
        "lifecycle_stage": "choose active or deleted experiments by the view of the search, not by its filter",
    },
)
