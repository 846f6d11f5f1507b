"""What MLflow's servers can search for, by release."""

from __future__ import annotations

import re

from mlcore.entities import Comparison, Field, Filter, OrderBy

_NUMERIC = frozenset(("=", "!=", "<", "<=", ">", ">="))
_TEXT = frozenset(("=", "!=", "LIKE", "ILIKE"))
_NULL = frozenset(("IS NULL", "IS NOT NULL"))
_MANY = frozenset(("IN", "NOT IN"))
_TIMES = frozenset(("start_time", "end_time", "creation_time", "last_update_time"))
_RUN_TEXTS = frozenset(("run_id", "run_name", "status", "artifact_uri", "user_id"))
_EXPERIMENT_ORDERS = frozenset(("name", "experiment_id", "creation_time", "last_update_time"))
# Its parser trips over backslashes, line breaks and comments inside of quotes.
_PLAIN = re.compile(r"[^\\\x00-\x1f;#`]*")


class MlflowVocabulary:
    """Tell what a server of MLflow *version* understands."""

    def __init__(self, version: tuple[int, int]) -> None:
        """Take an unknown version for a new one."""
        self._is_new = version >= (3, 0) or version == (0, 0)

    def run_filter(self, tree: Filter) -> bool:
        """Whether a part of a filter of runs can be sent as it is."""
        if not isinstance(tree, Comparison) or not _is_plain(tree):
            return False
        field, op = tree.field, tree.op
        if field.entity == "metric":
            # Releases before 3 take NaN for 0.
            return field.stat == "last" and op in _NUMERIC and self._is_new
        if field.entity in ("param", "tag"):
            return isinstance(tree.value, str | None) and op in (_TEXT | _NULL if self._is_new else _TEXT)
        if field.entity == "dataset":
            return op in _TEXT | _MANY
        if field.key in _TIMES:
            return op in _NUMERIC
        return field.key in _RUN_TEXTS and op in (_TEXT | _MANY if field.key == "run_id" else _TEXT)

    def run_order(self, order: OrderBy) -> bool:
        """Whether a criterion of an order of runs can be sent as it is."""
        field = order.field
        if field.entity == "attribute":
            return field.key in _RUN_TEXTS | _TIMES
        return field.stat == "last" and field.entity != "dataset" and _is_plain_key(field)

    def experiment_filter(self, tree: Filter) -> bool:
        """Whether a part of a filter of experiments can be sent as it is."""
        if not isinstance(tree, Comparison) or not _is_plain(tree):
            return False
        field, op = tree.field, tree.op
        if field.entity == "tag":
            return op in (_TEXT | _NULL if self._is_new else _TEXT)
        if field.key in _TIMES:
            return op in _NUMERIC and isinstance(tree.value, float | int) and float(tree.value).is_integer()
        return field.key == "name" and op in _TEXT

    def experiment_order(self, order: OrderBy) -> bool:
        """Whether a criterion of an order of experiments can be sent as it is."""
        return order.field.entity == "attribute" and order.field.key in _EXPERIMENT_ORDERS


def _is_plain(test: Comparison) -> bool:
    values = test.value if isinstance(test.value, tuple) else (test.value,)
    texts = [value for value in values if isinstance(value, str)]
    return _is_plain_key(test.field) and all(_PLAIN.fullmatch(text) for text in texts)


def _is_plain_key(field: Field) -> bool:
    return bool(_PLAIN.fullmatch(field.key)) and not set(field.key) & {"'", '"'}
