"""All limits of the protocol in one place, with the checks that hold them."""

from __future__ import annotations

import functools
import operator
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import SupportsIndex, TypeVar

from mlcore.entities import DatasetInput, Metric, Param, RunTag
from mlcore.errors import InvalidParameterError

KEY_LENGTH = 250
PARAM_VALUE_LENGTH = 6000
TAG_VALUE_LENGTH = 8000
EXPERIMENT_TAG_VALUE_LENGTH = 20_000
EXPERIMENT_NAME_LENGTH = 500
ARTIFACT_LOCATION_LENGTH = 2048
BATCH_METRICS = 1000
BATCH_PARAMS = 100
BATCH_TAGS = 100
BATCH_TOTAL = 1000
SEARCH_RESULTS = 50_000
HISTORY_RESULTS = 25_000
FILTER_LENGTH = 100_000  # room for an IN list of 2000 run ids
FILTER_DEPTH = 50  # parentheses and NOTs inside each other; it also keeps the parser's recursion small
FILTER_COMPARISONS = 200
FILTER_LIST_VALUES = 2000
ORDER_CLAUSES = 20
DATASETS = 1000
DATASET_NAME_LENGTH = 500
DATASET_DIGEST_LENGTH = 36
DATASET_SOURCE_LENGTH = 65_535
DATASET_SCHEMA_LENGTH = 1_048_575
DATASET_PROFILE_LENGTH = 16_777_215
INPUT_TAG_KEY_LENGTH = 255
INPUT_TAG_VALUE_LENGTH = 500
INT64_MAX = 2**63 - 1

V = TypeVar("V")

_KEY = re.compile(r"^[/\w.\- :]*$")
_RUN_ID = re.compile(r"^[a-zA-Z0-9][\w\-]{0,255}$")
_EXPERIMENT_ID = re.compile(r"^[a-zA-Z0-9][\w\-]{0,63}$")
_SHOWN = 80


def check_key(key: str, path: str = "key") -> str:
    """Return *key* if it may name a metric, param or tag.

    path: where the key stands in the request, for the message.
    Raises InvalidParameterError: empty, over 250 characters, other characters than letters, digits and
    `_ / . - : space`, or a name that would resolve to another one when used as a file name.
    """
    if not isinstance(key, str):
        raise InvalidParameterError(f"invalid {path}: a name must be a text, got {_short(key)}")
    return _checked_key(key, path)


@functools.lru_cache(maxsize=4096)
def _checked_key(key: str, path: str) -> str:
    if not key:
        raise InvalidParameterError(f"invalid {path}: a key name must be provided, got ''")
    if len(key) > KEY_LENGTH:
        raise InvalidParameterError(
            f"invalid value {_short(key)} for parameter {path!r}: it has {len(key)} characters, "
            f"at most {KEY_LENGTH} are allowed"
        )
    if not _KEY.match(key):
        raise InvalidParameterError(
            f"invalid value {_short(key)} for parameter {path!r}: names may only contain alphanumerics, "
            "underscores (_), dashes (-), periods (.), spaces ( ), colons (:) and slashes (/)"
        )
    normal = posixpath.normpath(key)
    if normal != key or normal == "." or normal.startswith(("..", "/")):
        raise InvalidParameterError(
            f"invalid value {_short(key)} for parameter {path!r}: names may be treated as files in certain cases, "
            f"and must not resolve to other names when treated as such; this one would resolve to {normal!r}"
        )
    return key


def check_run_id(run_id: str) -> str:
    """Return *run_id* if it is one. Raises InvalidParameterError: it cannot be a run id."""
    if not isinstance(run_id, str) or not _RUN_ID.match(run_id):
        raise InvalidParameterError(
            f"invalid run id {_short(run_id)}: expected up to 256 letters, digits, '_' and '-', "
            "beginning with a letter or digit"
        )
    return run_id


def check_experiment_id(experiment_id: str | SupportsIndex) -> str:
    """Return *experiment_id* as text if it is one, integers of any kind included.

    Raises InvalidParameterError: it cannot be an experiment id.
    """
    number = None if isinstance(experiment_id, str) else _whole(experiment_id)
    text = experiment_id if number is None else str(number)
    if not isinstance(text, str) or not _EXPERIMENT_ID.match(text):
        raise InvalidParameterError(
            f"invalid experiment id {_short(experiment_id)}: expected up to 64 letters, digits, '_' and '-'"
        )
    return text


def check_experiment_name(name: str) -> str:
    """Return *name* if an experiment may have it: 1 to 500 characters, not blank."""
    if not isinstance(name, str) or not name.strip():
        raise InvalidParameterError(f"invalid experiment name {name!r}: expected a text that is not blank")
    if not name.isascii() and (fault := _not_utf8(name)):
        raise InvalidParameterError(f"invalid experiment name {_short(name)}: {fault}")
    if len(name) > EXPERIMENT_NAME_LENGTH:
        raise InvalidParameterError(
            f"invalid experiment name {_short(name)}: it has {len(name)} characters, "
            f"at most {EXPERIMENT_NAME_LENGTH} are allowed"
        )
    return name


def pairs(what: str, given: Mapping[str, V]) -> Iterable[tuple[str, V]]:
    """Return names and values of a dict, or of anything with `items()` such as a pandas Series.

    what: `params`, `metrics` or `tags`, for the message. Raises InvalidParameterError: something else.
    """
    if not callable(getattr(given, "items", None)):
        raise InvalidParameterError(f"invalid {what} {_short(given)}: expected a dict of names and values")
    return given.items()


def entries(what: str, given: Iterable[V]) -> list[V]:
    """Return the records of a batch. Raises InvalidParameterError: one has no `key`, as a dict or tuple has not."""
    if not isinstance(given, Iterable):
        raise InvalidParameterError(f"invalid {what} {_short(given)}: expected a list")
    found = list(given)
    for entry in found:
        if not hasattr(entry, "key"):
            kind = {"metrics": "Metric", "params": "Param"}.get(what, "RunTag")
            raise InvalidParameterError(
                f"invalid entry {_short(entry)} of {what}: expected an object of mlcore.entities.{kind}"
            )
    return found


def check_moment(what: str, value: int) -> int:
    """Return a time in ms since the epoch, UTC. Raises InvalidParameterError: *value* is not one; names *what*."""
    if type(value) is int and 0 <= value <= INT64_MAX:
        return value
    return _integer(what, value, 0, "a nonnegative long (64-bit integer), ms since the epoch")


def check_step(what: str, value: int) -> int:
    """Return a step, int64. Raises InvalidParameterError: *value* is not one; names *what*."""
    return _integer(what, value, -INT64_MAX - 1, "a 64-bit integer")


def check_page_token(token: str | None) -> str | None:
    """Return *token* if it is a text or None."""
    if token is not None and not isinstance(token, str):
        raise InvalidParameterError(
            f"invalid page token {_short(token)}: expected the token that came with the page before, unchanged"
        )
    return token


def metric(key: str, value: object, timestamp: int, step: int) -> Metric:
    """Make a checked metric point.

    value: a number, or an object with `__float__` or `item()`; NaN and infinities are fine.
    timestamp: ms since the epoch, UTC, 0 to 2**63-1. step: int64.
    """
    check_key(key)
    if type(value) is not float:
        value = _number(key, value)
    if not (type(timestamp) is int and 0 <= timestamp <= INT64_MAX):
        timestamp = check_moment(f"timestamp of metric {key!r}", timestamp)
    if not (type(step) is int and -INT64_MAX <= step <= INT64_MAX):
        step = check_step(f"step of metric {key!r}", step)
    return Metric(key, value, timestamp, step)


def param(key: str, value: object, *, truncate: bool) -> Param:
    """Make a checked param; the value is its text, cut to 6000 characters if *truncate*, refused over them if not."""
    return Param(check_key(key), _text(f"param {key!r}", value, PARAM_VALUE_LENGTH, truncate))


def tag(key: str, value: object, *, truncate: bool) -> RunTag:
    """Make a checked run tag; the value is its text, cut to 8000 characters if *truncate*, refused over them if not."""
    return RunTag(check_key(key), _text(f"tag {key!r}", value, TAG_VALUE_LENGTH, truncate))


def experiment_tags(tags: Mapping[str, object]) -> dict[str, str]:
    """Return checked tags of an experiment, values as text of at most 20000 characters."""
    given = pairs("tags", tags)
    return {check_key(k): _text(f"tag {k!r}", v, EXPERIMENT_TAG_VALUE_LENGTH, False) for k, v in given}


def dataset_input(value: DatasetInput) -> DatasetInput:
    """Return a dataset's use if its texts are within the limits."""
    if not isinstance(value, DatasetInput):
        raise InvalidParameterError(
            f"invalid input {_short(value)}: expected a mlcore.entities.DatasetInput, as mlcore.data makes them"
        )
    dataset = value.dataset
    for what, text, limit in (
        ("dataset name", dataset.name, DATASET_NAME_LENGTH),
        ("dataset digest", dataset.digest, DATASET_DIGEST_LENGTH),
        ("dataset source", dataset.source, DATASET_SOURCE_LENGTH),
        ("dataset schema", dataset.schema or "", DATASET_SCHEMA_LENGTH),
        ("dataset profile", dataset.profile or "", DATASET_PROFILE_LENGTH),
        *((f"input tag {str(t.key)[:20]!r}", t.key, INPUT_TAG_KEY_LENGTH) for t in value.tags),
        *((f"value of input tag {str(t.key)[:20]!r}", t.value, INPUT_TAG_VALUE_LENGTH) for t in value.tags),
    ):
        if not isinstance(text, str):
            raise InvalidParameterError(f"invalid {what} {_short(text)}: expected a text")
        if len(text) > limit:
            raise InvalidParameterError(
                f"{what} {_short(text)} has {len(text)} characters, at most {limit} are allowed"
            )
    return value


def check_dataset_count(count: int) -> None:
    """Refuse more than 1000 datasets in one call."""
    if count > DATASETS:
        raise InvalidParameterError(f"log_inputs got {count} datasets, at most {DATASETS} are allowed in one call")


def check_max_results(value: SupportsIndex, limit: int = SEARCH_RESULTS) -> int:
    """Return the page size if it is 1 to *limit*."""
    number = _whole(value)
    if number is None or number < 1:
        most = f", at most {limit}" if limit < INT64_MAX else ""
        raise InvalidParameterError(
            f"invalid value {_short(value)} for parameter 'max_results': it must be a positive integer{most}"
        )
    if number > limit:
        raise InvalidParameterError(f"invalid value {number} for parameter 'max_results': it must be at most {limit}")
    return number


def check_distinct_params(params: Sequence[Param]) -> None:
    """Refuse a batch with one param key twice. Raises InvalidParameterError naming the keys."""
    keys = [p.key for p in params]
    if len(set(keys)) != len(keys):
        twice = sorted({k for k in keys if keys.count(k) > 1})
        raise InvalidParameterError(f"duplicate parameter keys have been submitted: {twice[:5]}; log each param once")


def _number(key: str, value: object) -> float:
    if not isinstance(value, (str, bytes)):
        try:
            return float(value)  # type: ignore[arg-type]  # whatever has __float__ is welcome
        except (TypeError, ValueError, OverflowError):
            pass
    raise InvalidParameterError(
        f"got invalid value {_short(value)} for metric {key!r} (type {type(value).__name__}): "
        "specify a number, such as a double (64-bit floating point); texts belong into params or tags"
    )


def _whole(value: object) -> int | None:
    """The value of an int, numpy's included; None for anything else, True and False too."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        return None
    try:
        return operator.index(value)
    except TypeError:  # an array
        return None


def _integer(what: str, value: object, low: int, expected: str) -> int:
    try:
        number = int(value)  # type: ignore[call-overload]  # numpy integers are welcome
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None or isinstance(value, (str, bool)) or number != value or not low <= number <= INT64_MAX:
        raise InvalidParameterError(f"invalid {what}: got {_short(value)}, expected {expected}")
    return int(number)


def _text(what: str, value: object, limit: int, truncate: bool) -> str:
    text = value if isinstance(value, str) else str(value)
    if not text.isascii() and (fault := _not_utf8(text)):
        raise InvalidParameterError(f"the value of {what} is no text that can be stored: {fault}")
    if len(text) <= limit:
        return text
    if truncate:
        return text[:limit]
    raise InvalidParameterError(
        f"the value of {what}, {_short(text)}, has {len(text)} characters, at most {limit} are allowed: "
        "log it as an artifact (log_text), or allow cutting with MLCORE_TRUNCATE_LONG_VALUES=true"
    )


def _not_utf8(text: str) -> str:
    """Say what no UTF-8 can hold, such as half of a surrogate pair; empty when there is nothing."""
    try:
        text.encode()
    except UnicodeEncodeError as err:
        return f"character {text[err.start]!r} at position {err.start} is half of a surrogate pair"
    return ""


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 3]}..."
