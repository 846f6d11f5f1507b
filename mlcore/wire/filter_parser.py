"""From texts to syntax trees: the public entrance to the search language.

The fields are listed in `filter_fields`, the grammar in `filter_grammar`, the meaning in `entities.filters`.
"""

from __future__ import annotations

from collections.abc import Sequence

from mlcore.entities.filters import And, Comparison, Field, Filter, Not, Or, OrderBy
from mlcore.entities.liveness import HEARTBEAT, LOST
from mlcore.errors import FilterError, InvalidParameterError
from mlcore.wire import limits
from mlcore.wire.filter_fields import EXPERIMENTS, RUNS, Vocabulary
from mlcore.wire.filter_grammar import Parser
from mlcore.wire.filter_model_fields import LOGGED_MODELS, MODELS, PROMPT_TAG, VERSIONS


def parse_run_filter(text: str | None) -> Filter | None:
    """Parse a filter of runs; None and the empty text are no filter.

    Names are canonical in the tree, and numbers finite: an infinite literal such as `1e400` is the largest float.
    The status 'LOST', which no store keeps, becomes what lost runs are: FAILED, with the tags that tell why.
    Raises FilterError: anything that is not a filter, with the column.
    """
    tree = _filter(text, RUNS)
    return tree if tree is None else _without_lost(tree)


def parse_experiment_filter(text: str | None) -> Filter | None:
    """Parse a filter of experiments; None and the empty text are no filter.

    Raises FilterError: anything that is not a filter, with the column.
    """
    return _filter(text, EXPERIMENTS)


def parse_model_filter(text: str | None) -> Filter | None:
    """Parse a filter of registered models.

    Prompts, which are models with the tag `mlflow.prompt.is_prompt` = 'true', are left out unless the filter names
    that tag, so there is always a filter; `!=` on that tag holds for models that lack it, as in MLflow.
    Raises FilterError: anything that is not a filter, with the column.
    """
    tree = _filter(text, MODELS)
    if tree is not None and _names(tree, _IS_PROMPT):
        return _with_prompt_rule(tree)
    no_prompt = Not(Comparison(_IS_PROMPT, "=", "true"))
    if tree is None:
        return no_prompt
    return And((*tree.parts, no_prompt)) if isinstance(tree, And) else And((tree, no_prompt))


def parse_version_filter(text: str | None) -> Filter | None:
    """Parse a filter of model versions; None and the empty text are no filter.

    `!=` on the tag `mlflow.prompt.is_prompt` holds for versions that lack it.
    Raises FilterError: anything that is not a filter, with the column.
    """
    tree = _filter(text, VERSIONS)
    return tree if tree is None else _with_prompt_rule(tree)


def parse_logged_model_filter(text: str | None) -> Filter | None:
    """Parse a filter of logged models, in which texts may stand without quotes; None and '' are no filter.

    Raises FilterError: anything that is not a filter, with the column.
    """
    return _filter(text, LOGGED_MODELS)


def parse_run_order(clauses: Sequence[str]) -> tuple[OrderBy, ...]:
    """Parse the order of a search for runs: one field per clause, each with an optional `ASC` or `DESC`.

    Raises FilterError: a clause that is none, or a field that is named twice.
    """
    return _order(clauses, RUNS)


def parse_experiment_order(clauses: Sequence[str]) -> tuple[OrderBy, ...]:
    """Parse the order of a search for experiments, as `parse_run_order`; attributes only."""
    return _order(clauses, EXPERIMENTS)


def parse_model_order(clauses: Sequence[str]) -> tuple[OrderBy, ...]:
    """Parse the order of a search for registered models, as `parse_run_order`; attributes only."""
    return _order(clauses, MODELS)


def parse_version_order(clauses: Sequence[str]) -> tuple[OrderBy, ...]:
    """Parse the order of a search for model versions, as `parse_run_order`; attributes only."""
    return _order(clauses, VERSIONS)


def parse_logged_model_order(clauses: Sequence[str]) -> tuple[OrderBy, ...]:
    """Parse the order of a search for logged models, as `parse_run_order`."""
    return _order(clauses, LOGGED_MODELS)


_IS_PROMPT = Field("tag", PROMPT_TAG)


_STATUS = Field("attribute", "status")
# What the status 'LOST' means to a store.
IS_LOST: Filter = And(
    (
        Comparison(_STATUS, "=", "FAILED"),
        Comparison(Field("tag", LOST), "IS NOT NULL"),
        Comparison(Field("tag", HEARTBEAT), "IS NOT NULL"),
    )
)


def _without_lost(tree: Filter) -> Filter:
    if isinstance(tree, Not):
        return Not(_without_lost(tree.part))
    if not isinstance(tree, Comparison):
        return type(tree)(tuple(_without_lost(part) for part in tree.parts))
    if tree.field != _STATUS or tree.value != "LOST" or tree.op not in ("=", "!="):
        return tree
    return IS_LOST if tree.op == "=" else Not(IS_LOST)


def _names(tree: Filter, found: Field) -> bool:
    if isinstance(tree, Comparison):
        return tree.field == found
    return any(_names(part, found) for part in ((tree.part,) if isinstance(tree, Not) else tree.parts))


def _with_prompt_rule(tree: Filter) -> Filter:
    if isinstance(tree, Not):
        return Not(_with_prompt_rule(tree.part))
    if not isinstance(tree, Comparison):
        return type(tree)(tuple(_with_prompt_rule(part) for part in tree.parts))
    if tree.field == _IS_PROMPT and tree.op == "!=":
        return Or((Comparison(_IS_PROMPT, "IS NULL"), tree))
    return tree


def _filter(text: object, vocabulary: Vocabulary) -> Filter | None:
    if text is None or text == "":
        return None
    if not isinstance(text, str):
        raise InvalidParameterError(f"invalid filter {text!r}: expected a text, got {type(text).__name__}")
    if len(text) > limits.FILTER_LENGTH:
        raise FilterError(f"the filter has {len(text)} characters, at most {limits.FILTER_LENGTH} are allowed")
    if text.isspace():
        raise FilterError(f"invalid filter {text[:20]!r}: could not be parsed; for no filter give an empty text")
    return Parser(text, vocabulary).filter()


def _order(clauses: object, vocabulary: Vocabulary) -> tuple[OrderBy, ...]:
    if not isinstance(clauses, Sequence) or isinstance(clauses, str | bytes):
        raise InvalidParameterError(
            f"invalid order_by {clauses!r}: expected a list of texts, such as ['start_time DESC']"
        )
    if len(clauses) > limits.ORDER_CLAUSES:
        raise FilterError(f"order_by has {len(clauses)} clauses, at most {limits.ORDER_CLAUSES} are allowed")
    found: dict[Field, OrderBy] = {}
    for clause in clauses:
        criterion = _clause(clause, vocabulary)
        if criterion.field in found:
            raise FilterError("order_by names this field twice; keep one of the clauses", clause)
        found[criterion.field] = criterion
    return tuple(found.values())


def _clause(clause: object, vocabulary: Vocabulary) -> OrderBy:
    if not isinstance(clause, str) or not clause.strip():
        expected = "expected a field such as 'start_time DESC'"
        raise FilterError(f"invalid order_by clause {clause!r}: could not be parsed, {expected}")
    if len(clause) > limits.FILTER_LENGTH:
        raise FilterError(
            f"an order_by clause has {len(clause)} characters, at most {limits.FILTER_LENGTH} are allowed"
        )
    return Parser(clause, vocabulary).order()
