"""Read what the parameters of a search may be: `0.1,0.01`, `range(2,6)`, `uniform(0,1)`, `loguniform(1e-5,1)`, `choice(a,b)`."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping

from attrs import field, frozen

from mlcore.errors import ProjectError
from mlcore.interfaces.sampler import Choices, Domain, Integers, Reals

MAX_CHOICES = 100_000  # of one parameter; a mistyped range is to be an error and not a full memory

_CALL = re.compile(r"\s*([A-Za-z_]\w*)\s*\(")
_QUOTES = "'\""


@frozen
class Space:
    """What a search varies, and what it leaves as it is.

    domains: of parameters with more than one value, by name, in the order given.
    fixed: the only value of the others.
    """

    domains: Mapping[str, Domain] = field(factory=dict)
    fixed: Mapping[str, str] = field(factory=dict)


@frozen
class _Word:
    """An argument of a call or item of a list. column: of its first character, counted from 1."""

    text: str
    column: int


class _FaultError(Exception):
    """What is wrong, and in which column."""

    def __init__(self, column: int, what: str) -> None:
        super().__init__(what)
        self.column = column


def parsed(parameters: Mapping[str, str]) -> Space:
    """Return the space that the texts of all parameters span.

    Raises ProjectError: some cannot be read; the message has every one, with name and column.
    """
    domains: dict[str, Domain] = {}
    fixed: dict[str, str] = {}
    faults = []
    for name, text in parameters.items():
        try:
            found = _domain(text)
        except _FaultError as err:
            faults.append(f"parameter {name!r}, column {err.column} of {text!r}: {err}")
        else:
            if isinstance(found, str):
                fixed[name] = found
            else:
                domains[name] = found
    if faults:
        raise ProjectError("\n".join(faults))
    return Space(domains, fixed)


def parse(text: str, name: str = "value") -> Domain:
    """Return the domain that one parameter's text means; a plain value is a choice of one.

    Raises ProjectError: it cannot be read; the message has *name* and the column.
    """
    found = parsed({name: text})
    return found.domains.get(name) or Choices((found.fixed[name],))


def _domain(text: str) -> Domain | str:
    """Return what a text means; the text itself, without quotes, where there is nothing to choose."""
    call = _CALL.match(text)
    if call is None or not text.rstrip().endswith(")"):
        return _choice(_words(text, 0, len(text))) if _is_list(text) else text
    name, column = call[1], call.start(1) + 1
    if name not in _CALLS:
        near = difflib.get_close_matches(name, _CALLS, 1)
        meant = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(_CALLS)}."
        raise _FaultError(column, f"unknown function {name!r}, {meant} A text is put in quotes: '\"{text.strip()}\"'")
    words = _words(text, call.end(), len(text.rstrip()) - 1)
    read, shape, counts = _CALLS[name]
    if len(words) not in counts:
        raise _FaultError(column, f"{name} takes {shape}, not {len(words)} value{'s' * (len(words) != 1)}")
    return read(words)


def _is_list(text: str) -> bool:
    return "," in text or (text.strip()[:1] in _QUOTES and len(text.strip()) > 1)


def _words(text: str, start: int, end: int) -> list[_Word]:
    """Split at commas outside of quotes; quotes around a whole word are taken off."""
    words: list[_Word] = []
    at = start
    while True:
        while at < end and text[at].isspace():
            at += 1
        begin, stop = at, _end_of_word(text, at, end)
        raw = text[begin:stop].rstrip()
        quoted = len(raw) > 1 and raw[0] in _QUOTES and raw[-1] == raw[0]
        if not raw and (stop < end or words):
            raise _FaultError(begin + 1, 'a value is missing between commas (an empty text is written "")')
        if raw:
            words.append(_Word(raw[1:-1] if quoted else raw, begin + 1))
        if stop >= end:
            return words
        at = stop + 1


def _end_of_word(text: str, at: int, end: int) -> int:
    """Return where the word that begins at *at* ends: at a comma or at *end*."""
    if at < end and text[at] in _QUOTES:
        closing = text.find(text[at], at + 1, end)
        if closing < 0:
            raise _FaultError(at + 1, f"the quote {text[at]} is not closed")
        rest = text.find(",", closing, end)
        if text[closing + 1 : rest if rest >= 0 else end].strip():
            raise _FaultError(closing + 2, "expected a comma after the closing quote")
        return rest if rest >= 0 else end
    comma = text.find(",", at, end)
    return comma if comma >= 0 else end


def _choice(words: list[_Word]) -> Domain | str:
    seen: dict[str, _Word] = {}
    for word in words:
        if word.text in seen:
            raise _FaultError(word.column, f"{word.text!r} is there twice")
        seen[word.text] = word
    return Choices(tuple(seen)) if len(seen) > 1 else words[0].text


def _range(words: list[_Word]) -> Domain | str:
    numbers = [_whole(word) for word in words]
    start, stop = (0, numbers[0]) if len(numbers) == 1 else numbers[:2]
    step = numbers[2] if len(numbers) == 3 else 1
    if step == 0:
        raise _FaultError(words[2].column, "the step must not be 0")
    found = range(start, stop, step)
    if not found:
        raise _FaultError(words[0].column, f"range({start}, {stop}, {step}) is empty; its end is not part of it")
    if len(found) > MAX_CHOICES:
        raise _FaultError(words[0].column, f"a range of {len(found)} values; at most {MAX_CHOICES} are possible")
    if len(found) == 1:
        return str(found[0])
    return Integers(min(found), max(found), abs(step))


def _uniform(words: list[_Word]) -> Domain | str:
    low, high = (_real(word) for word in words)
    if not low < high:
        raise _FaultError(words[1].column, f"the upper end {high!r} must be greater than the lower one, {low!r}")
    return Reals(low, high)


def _loguniform(words: list[_Word]) -> Domain | str:
    if _real(words[0]) <= 0:
        raise _FaultError(words[0].column, f"the lower end must be greater than 0 for a logarithm, not {words[0].text}")
    _uniform(words)
    return Reals(_real(words[0]), _real(words[1]), log=True)


def _whole(word: _Word) -> int:
    try:
        return int(word.text)
    except ValueError:
        raise _FaultError(word.column, f"expected a whole number, not {word.text!r}") from None


def _real(word: _Word) -> float:
    try:
        number = float(word.text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _FaultError(word.column, f"expected a finite number, not {word.text!r}")
    return number


_CALLS: dict[str, tuple[Callable[[list[_Word]], Domain | str], str, range]] = {
    "range": (_range, "an end, or begin and end, or begin, end and step", range(1, 4)),
    "uniform": (_uniform, "two numbers, the ends of the interval", range(2, 3)),
    "loguniform": (_loguniform, "two numbers, the ends of the interval", range(2, 3)),
    "choice": (_choice, "one value or more", range(1, MAX_CHOICES)),
}
