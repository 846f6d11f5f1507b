"""What is wrong with a filter and what to write instead: the messages of the grammar's errors."""

from __future__ import annotations

from collections.abc import Sequence

from mlcore.entities.filters import Field
from mlcore.wire.filter_fields import Vocabulary
from mlcore.wire.filter_tokens import Token
from mlcore.wire.filter_values import param_number

# The operators of other languages, and ours.
_OPERATORS = {"==": "=", "===": "=", "<>": "!=", "=<": "<=", "=>": ">=", "=!": "!=", "~": "LIKE", "=~": "LIKE"}
_SHOWN = 60  # texts of more characters are not repeated
_JOINS = {"&&": "AND", "&": "AND", "||": "OR", "|": "OR", "!": "NOT", "~": "NOT"}
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_NOT_FINITE = {
    "NAN": "a metric that is NaN matches != and nothing else",
    "INF": "infinity is written 1e400",
    "-INF": "infinity is written -1e400",
    "INFINITY": "infinity is written 1e400",
    "-INFINITY": "infinity is written -1e400",
}


def of_start(tokens: Sequence[Token]) -> str:
    """Explain why a comparison cannot begin with the first of the next (up to three) *tokens*."""
    token = tokens[0]
    if token.text in _JOINS:
        return f"unexpected {token.shown}, did you mean {_JOINS[token.text]}?"
    message = f"invalid comparison clause: expected the name of a field, found {token.shown}"
    if token.kind not in ("number", "quoted"):
        return message
    message += "; the field stands on the left"
    if len(tokens) == 3 and tokens[1].kind == "op" and tokens[2].kind == "word":
        turned = f"{tokens[2].text} {_FLIPPED.get(tokens[1].text, tokens[1].text)} {token.text}"
        message += f": {turned}" if len(turned) <= _SHOWN else ""
    return message


def of_join(before: Token, token: Token) -> str:
    """Explain why *token* cannot follow a complete comparison that ends with *before*."""
    if token.text in _JOINS:
        return f"unexpected {token.shown}, did you mean {_JOINS[token.text]}?"
    message = f"invalid clause in filter: expected AND or OR, found {token.shown}"
    if before.is_text and token.is_text and before.end == token.column:
        other = "double" if before.text[0] == "'" else "single"
        message += f"; quotes cannot be escaped, put a text that holds {before.text[0]} into {other} quotes"
    return message


def of_no_operator(before: Token, token: Token) -> str:
    """Explain why *token*, after the name that ends with *before*, is no comparator."""
    if token.text.upper() == "BETWEEN":
        return "there is no BETWEEN; write x >= 1 AND x <= 2"
    message = f"expected a comparator such as =, !=, < or LIKE, found {token.shown}"
    entity, dot, key = before.text.partition(".")
    if token.kind == "word" and before.kind == "word" and dot and len(key) + len(token.text) <= _SHOWN:
        message += f"; a key with spaces needs backticks: {entity}.`{key} {token.text}`"
    return message


def of_operator(op: str, found: Field, vocabulary: Vocabulary) -> str:
    """Explain why the field *found* cannot be compared by *op*."""
    message = f"invalid comparator {op[:_SHOWN]!r} for {_shown(found)}"
    if op in ("IN", "NOT IN"):
        return f"{message}: it is not compared with lists; join comparisons by {'OR' if op == 'IN' else 'AND'}"
    message += f" not one of {', '.join(repr(each) for each in vocabulary.rule(found).operators)}"
    near = _OPERATORS.get(op)
    return f"{message}, did you mean {near!r}?" if near else message


def of_value(op: str, found: Field, token: Token, vocabulary: Vocabulary) -> str:
    """Explain why the field *found* cannot be compared by *op* with *token*."""
    rule = vocabulary.rule(found)
    numeric, quotable = op in rule.number_ops, op in rule.text_ops
    wanted = " or ".join(["a number"] * numeric + ["a text in quotes"] * quotable)
    message = f"{_shown(found)} {op} needs {wanted}, found {token.shown}"
    hint = _hint_of_value(found, token, vocabulary, numeric=numeric, quotable=quotable)
    return f"{message}; {hint}" if hint else message


def _hint_of_value(found: Field, token: Token, vocabulary: Vocabulary, *, numeric: bool, quotable: bool) -> str:
    if token.is_text:
        return _hint_of_text(found, token.text[1:-1])
    if token.kind == "quoted":
        return "backticks are for keys, texts have single or double quotes"
    if token.kind == "number":
        return _in_quotes(token)
    if token.kind == "op":
        return f"did you mean {_OPERATORS[token.text]!r}?" if token.text in _OPERATORS else ""
    if token.kind != "word":
        return ""
    if numeric and token.text.upper() in _NOT_FINITE:
        return _NOT_FINITE[token.text.upper()]
    if "." in token.text and token.text.partition(".")[0] in vocabulary.entities:
        return "two fields cannot be compared with each other"
    return f"the value is not quoted, {_in_quotes(token)}" if quotable else ""


def _hint_of_text(found: Field, value: str) -> str:
    if param_number(value) is not None:
        return f"write {value.lstrip('+')} without quotes" if len(value) <= _SHOWN else "write it without quotes"
    if value.upper() in _NOT_FINITE:
        return _NOT_FINITE[value.upper()]
    return "times are milliseconds since the epoch" if found.entity == "attribute" else ""


def of_list(found: Field, op: str, token: Token, vocabulary: Vocabulary) -> str:
    """Explain that *token* is no list to compare the field *found* with."""
    what, example = ("texts", "('a', 'b')") if op in vocabulary.rule(found).text_ops else ("numbers", "(1, 2)")
    return f"expected a list of {what} such as {example} after IN, found {token.shown}"


def of_list_value(found: Field, op: str, token: Token, vocabulary: Vocabulary, mixed: bool) -> str:
    """Explain why *token* cannot be in the list that the field *found* is compared with.

    mixed: whether other values stand before it.
    """
    rule = vocabulary.rule(found)
    texts, numbers = op in rule.text_ops, rule.number_lists
    wanted = " or ".join(["numbers"] * numbers + ["texts in quotes"] * texts)
    message = f"the list for {_shown(found)} needs {wanted}, found {token.shown}"
    if mixed and texts and numbers and (token.is_text or token.kind == "number"):
        return f"{message}; a list is all numbers or all texts"
    if not texts and token.is_text:
        hint = _hint_of_text(found, token.text[1:-1])
        return f"{message}; {hint}" if hint else message
    return f"{message}; {_in_quotes(token)}" if texts and token.kind in ("word", "number") else message


def of_order(found: Field, vocabulary: Vocabulary) -> str:
    """Explain why there is no order by the field *found*."""
    known = " or ".join(vocabulary.sortable)
    return f"{vocabulary.noun}s cannot be ordered by {_shown(found)}, order by {known}"


def _in_quotes(token: Token) -> str:
    return f"write '{token.text}'" if len(token.text) <= _SHOWN else "write it in quotes"


def _shown(found: Field) -> str:
    return f"{found.entity} {found.key!r}"
