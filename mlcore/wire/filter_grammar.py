"""The grammar of the search language, as a recursive descent over tokens.

    filter     := or
    or         := and {OR and}
    and        := not {AND not} [AND]
    not        := {NOT} (comparison | "(" or ")")
    comparison := name comparator value | name [NOT] IN list | name IS [NOT] NULL
    list       := "(" value {"," value} [","] ")"
    order      := name [ASC | DESC]

The values of a list are all texts, or all numbers; numbers are joined by OR, or by AND for NOT IN.
Keywords are taken in any letter case. The last AND, allowed at the end of the text only, is MLflow's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mlcore.entities.filters import And, Comparison, Field, Filter, Not, Or, OrderBy
from mlcore.errors import FilterError
from mlcore.wire import filter_hints as hints
from mlcore.wire import limits
from mlcore.wire.filter_fields import Vocabulary
from mlcore.wire.filter_names import read_name
from mlcore.wire.filter_tokens import Token, tokenize
from mlcore.wire.filter_values import clamped, param_number


class Parser:
    """One pass over the tokens of one text; `filter` or `order` is called once."""

    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        """Cut *text* into tokens; its names are those of *vocabulary*."""
        self._text = text
        self._vocabulary = vocabulary
        self._tokens = tokenize(text)
        self._at = 0
        self._depth = 0
        self._comparisons = 0

    def filter(self) -> Filter:
        """Parse the whole text as a filter."""
        tree = self._joined("OR", Or, self._conjunction)
        token = self._next
        if token.kind == ")":
            raise self._error("this ')' closes nothing", token)
        if token.kind != "end":
            raise self._error(hints.of_join(self._tokens[self._at - 1], token), token)
        return tree

    def order(self) -> OrderBy:
        """Parse the whole text as one clause of an order."""
        found = self._field()
        if found.entity not in self._vocabulary.sortable:
            raise self._error(hints.of_order(found, self._vocabulary), self._tokens[0])
        ascending = not self._keyword("DESC")
        if ascending:
            self._keyword("ASC")
        token = self._next
        if token.kind == "end":
            return OrderBy(found, ascending)
        hint = "one field per clause, give a list of clauses" if token.kind == "," else "expected ASC, DESC or nothing"
        raise self._error(f"invalid ordering key in order_by clause: {hint}, found {token.shown}", token)

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._tokens[self._at]
        if token.kind != "end":
            self._at += 1
        return token

    def _keyword(self, word: str) -> bool:
        """Step over the keyword *word* if it is next."""
        token = self._tokens[self._at]
        if token.kind == "word" and token.text.upper() == word:
            self._at += 1
            return True
        return False

    def _error(self, message: str, token: Token) -> FilterError:
        return FilterError(message, self._text, token.column)

    def _conjunction(self) -> Filter:
        return self._joined("AND", And, self._negation)

    def _joined(self, word: str, make: Callable[[tuple[Filter, ...]], Filter], part: Callable[[], Filter]) -> Filter:
        first = part()
        if not self._keyword(word):
            return first
        parts = [first]
        while not (word == "AND" and self._next.kind == "end"):
            parts.append(part())
            if not self._keyword(word):
                break
        return make(tuple(parts)) if len(parts) > 1 else first

    def _negation(self) -> Filter:
        start = self._at
        while self._keyword("NOT"):
            pass
        nots = self._at - start
        self._deeper(nots)
        tree = self._group() if self._next.kind == "(" else self._comparison()
        self._depth -= nots
        for _ in range(nots):
            tree = Not(tree)
        return tree

    def _deeper(self, levels: int) -> None:
        self._depth += levels
        if self._depth > limits.FILTER_DEPTH:
            raise self._error(f"parentheses and NOTs are nested more than {limits.FILTER_DEPTH} deep", self._next)

    def _group(self) -> Filter:
        self._deeper(1)
        opening = self._take()
        tree = self._joined("OR", Or, self._conjunction)
        self._depth -= 1
        token = self._next
        if token.kind == "end":
            raise self._error("this '(' is never closed", opening)
        if token.kind != ")":
            raise self._error(hints.of_join(self._tokens[self._at - 1], token), token)
        self._at += 1
        return tree

    def _comparison(self) -> Filter:
        self._count(1)
        found = self._field()
        token = self._next
        op = self._operator()
        rule = self._vocabulary.rule(found)
        if op not in rule.operators:
            raise self._error(hints.of_operator(op, found, self._vocabulary), token)
        if op in rule.null_ops:
            return Comparison(found, op)
        if op in ("IN", "NOT IN"):
            return self._one_of(found, op)
        value = self._next
        if value.kind == "number" and op in rule.number_ops:
            self._at += 1
            return Comparison(found, op, clamped(float(value.text)))
        if value.is_text and op in rule.text_ops:
            self._at += 1
            return Comparison(found, op, value.text[1:-1])
        if value.is_text and op in rule.number_ops and rule.quoted_numbers:
            number = param_number(value.text[1:-1])
            if number is not None:
                self._at += 1
                return Comparison(found, op, clamped(number))
        if value.kind == "word" and op in rule.text_ops and self._vocabulary.bare_texts:
            self._at += 1
            return Comparison(found, op, value.text)
        raise self._error(hints.of_value(op, found, value, self._vocabulary), value)

    def _count(self, comparisons: int) -> None:
        self._comparisons += comparisons
        if self._comparisons > limits.FILTER_COMPARISONS:
            raise self._error(f"the filter has more than {limits.FILTER_COMPARISONS} comparisons", self._next)

    def _one_of(self, found: Field, op: str) -> Filter:
        values = self._list(found, op)
        texts = tuple(token.text[1:-1] for token in values if token.is_text)
        if texts:
            return Comparison(found, op, texts)
        # A list of numbers is written out, so that stores know lists of texts alone.
        self._count(len(values) - 1)
        equal = "=" if op == "IN" else "!="
        parts = tuple(Comparison(found, equal, clamped(float(token.text))) for token in values)
        if len(parts) == 1:
            return parts[0]
        return Or(parts) if op == "IN" else And(parts)

    def _field(self) -> Field:
        token = self._next
        named = token.kind == "word" and token.text.upper() not in ("AND", "OR")
        if token.kind == "quoted":
            # A lone text in backticks is a name; in other quotes only when it is one, else a value on the wrong side.
            named = not token.is_text or self._vocabulary.attribute(token.text[1:-1]) is not None
        if not named:
            raise self._error(hints.of_start(self._tokens[self._at : self._at + 3]), token)
        name, self._at = read_name(self._tokens, self._at, self._text)
        return self._vocabulary.field(name, self._text)

    def _operator(self) -> str:
        token = self._take()
        word = token.text.upper()
        if token.kind == "op":
            return token.text
        if word in ("LIKE", "ILIKE", "IN"):
            return word
        if word == "IS":
            return self._null_operator()
        if word != "NOT":
            raise self._error(hints.of_no_operator(self._tokens[max(self._at - 2, 0)], token), token)
        after = self._take()
        if after.text.upper() == "IN":
            return "NOT IN"
        if after.text.upper() in ("LIKE", "ILIKE"):
            raise self._error(f"there is no NOT {after.text.upper()}; put NOT before the whole comparison", token)
        raise self._error(f"expected IN after NOT, found {after.shown}", after)

    def _null_operator(self) -> str:
        negated = self._keyword("NOT")
        if self._keyword("NULL"):
            return "IS NOT NULL" if negated else "IS NULL"
        wanted = "NULL" if negated else "NULL or NOT NULL"
        raise self._error(f"expected {wanted} after IS, found {self._next.shown}", self._next)

    def _list(self, found: Field, op: str) -> list[Token]:
        opening = self._take()
        if opening.kind != "(":
            raise self._error(hints.of_list(found, op, opening, self._vocabulary), opening)
        values: list[Token] = []
        while True:
            token = self._take()
            if token.kind == ")" and values:  # after a last comma
                return values
            if not self._fits_list(found, op, token, values):
                raise self._error(hints.of_list_value(found, op, token, self._vocabulary, bool(values)), token)
            values.append(token)
            if len(values) > limits.FILTER_LIST_VALUES:
                raise self._error(f"the list has more than {limits.FILTER_LIST_VALUES} values", token)
            token = self._take()
            if token.kind == ")":
                return values
            if token.kind == "end":
                raise self._error("this '(' is never closed", opening)
            if token.kind != ",":
                raise self._error(f"expected ',' or ')' in the list, found {token.shown}", token)

    def _fits_list(self, found: Field, op: str, token: Token, before: Sequence[Token]) -> bool:
        if before and token.kind != before[0].kind:
            return False
        rule = self._vocabulary.rule(found)
        return (token.is_text and op in rule.text_ops) or (token.kind == "number" and rule.number_lists)
