"""Words of a command that another program reads as code: a value in them could say anything, quoted or not.

Where it is not sure what a word is, it counts as code: then a value in it has to be plain, as almost all are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mlcore.projects.command_model import Hole, Scanned, Simple, Word
from mlcore.projects.command_programs import (
    ALL_CODE,
    AMBIGUOUS,
    BUILTINS,
    BY_OPTION,
    BY_WORD,
    DECLARING,
    EVALUATING,
    LONG_CODE,
    PYTHONS,
    RESERVED,
    SHELLS,
    WITH_COMMAND,
)

_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_INDEX = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)?\[.")
_PROMPT = re.compile(r"(PS\d|PROMPT_COMMAND)\+?=")
_VERSION = re.compile(r"[\d.]+(\.exe)?$")
_VARIABLE = re.compile(r"\$([A-Za-z_]\w*)")
_GROUPS = frozenset("{ } do done then fi esac".split())
# What evaluates the content of variables: arithmetic beyond plain numbers, indexes, offsets, names of names, prompts.
_EVALUATES = re.compile(
    r"\(\((?![\d\s+*/%<>=!()-]*\)\))|\$\[|\b(?:let|eval|trap)\b|\b(?:unset|read|mapfile|readarray)\s[^\n;|&]*\$"
    r"|\[\[(?=[\s\S]*?\s-(?:eq|ne|lt|le|gt|ge|v|R)\s)|(?:\btest|\[)\s+(?:!\s+)?-[vR]\s"
    r"|\b(?:declare|typeset|local|export|readonly)\s(?:[^\n;|&]*\s)?(?:-\w*[in]|[\"']?\$)"
    r"|[A-Za-z_]\w*\[(?:[\"']?\$|[A-Za-z_(])|\$\{[^}:]*:[^-=?+}]|\$\{!|\$\{[^}]*@P|\bPS\d\+?=|\bPROMPT_COMMAND\b|\bprintf\s+-v"
)
# How a value gets into a variable without being in an assignment itself: arrays, functions, input, arguments of code.
_PASSES_ON = re.compile(
    r"\w\+?=\(|\w\s*\(\s*\)|\b(?:function|read|mapfile|readarray|getopts)\s|sh\b[^\n]*\s-\w*c\b|\bprintf\s+-v"
)
_INPUT = frozenset({"-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"})


def needs_shell(command: Simple) -> bool:
    """Return whether a command without operators still is one of the shell itself: an assignment, a builtin."""
    first = command.words[0].text
    return first in BUILTINS or bool(_ASSIGNMENT.match(first))


def mark_code(scanned: Scanned) -> None:
    """Note in the holes of a command that are read as code who reads them."""
    commands = scanned.commands
    grouped = scanned.grouped or any(word.text in _GROUPS for command in commands for word in command.words)
    for at, command in enumerate(commands):
        readers = [_mark_builtin(command.words)]
        readers += [_mark_program(command.words, position, word) for position, word in enumerate(command.words)]
        for reader in filter(None, readers):
            for each in commands if grouped else _pipeline(commands, at):
                _mark([*each.words, *each.redirected], reader)
    if any(_makes_integers(command.words) for command in commands):
        _mark(_assigning(commands), "declare -i")
    _mark_later(scanned)


def _pipeline(commands: Sequence[Simple], end: int) -> Sequence[Simple]:
    """Return a command after all that write what it reads."""
    start = end
    while commands[start].piped and start > 0:
        start -= 1
    return commands[start : end + 1]


def _mark_later(scanned: Scanned) -> None:
    """Note what is in a variable first, if anything in the script may evaluate variables."""
    commands = scanned.commands
    text = "".join(piece if isinstance(piece, str) else " " for piece in scanned.script)
    found = _EVALUATES.search(text)
    if found is None and not any(
        word.code and word.expands for command in commands for word in [*command.words, *command.redirected]
    ):
        _mark_called(commands)
        return
    who = f"{found[0].strip()[:20]!r} in the script" if found else "what takes variables of the script for code"
    if _PASSES_ON.search(text):  # by which a value can come to be in a variable without any assignment
        for piece in scanned.script:
            if isinstance(piece, Hole):
                piece.plain = piece.plain or who
    else:
        _mark(_assigning(commands), who)


def _assigning(commands: Sequence[Simple]) -> list[Word]:
    """Return the words that put values into variables: assignments, and the lists of loops and of `set`."""
    found = []
    for command in commands:
        loops = any(word.text in ("for", "select", "set") for word in command.words)
        found += [word for word in command.words if loops or _ASSIGNMENT.match(word.text)]
    return found


def _mark_called(commands: Sequence[Simple]) -> None:
    """Note what is assigned to a variable that is taken for the name of a command."""
    called = {name for command in commands for name in _called(command.words)}
    for word in _assigning(commands):
        name = word.text.partition("=")[0].rstrip("+")
        if name in called:
            _mark([word], "the shell, as a command")


def _called(words: Sequence[Word]) -> list[str]:
    at_command = True
    found = []
    for word in words:
        if at_command and (variable := _VARIABLE.match(word.text)):
            found.append(variable[1])
        at_command = at_command and (word.text in RESERVED or bool(_ASSIGNMENT.match(word.text)))
    return found


def _mark(words: Sequence[Word], who: str) -> None:
    for word in words:
        word.code = True
        for hole in word.holes:
            hole.plain = hole.plain or who


def _makes_integers(words: Sequence[Word]) -> bool:
    texts = [word.text for word in words]
    return any(text in DECLARING for text in texts) and any(re.match(r"-\w*i", text) for text in texts)


def _mark_builtin(words: Sequence[Word]) -> str:
    """Note what the shell itself evaluates; return the builtin's name if it reads code from its input."""
    reader = ""
    at_command = True
    for at, word in enumerate(words):
        text = word.text
        if _INDEX.match(text):
            _mark([word], "an index of an array")
        if _PROMPT.match(text):
            _mark([word], "the prompt of the shell")
        if at_command and word.expands and not any(word.parts) and words[at - 1].text != "in":
            _mark([word], "the shell, as a command")  # $(...), whose output is the command
        if at_command or text == "eval":
            reader = _mark_arguments(text, words[at + 1 :]) or reader
        at_command = text in RESERVED or bool(_ASSIGNMENT.match(text)) or (at_command and text.startswith("-"))
    return reader


def _mark_arguments(name: str, arguments: Sequence[Word]) -> str:
    if name == "[[":
        for hole in (hole for word in arguments for hole in word.holes):
            hole.plain = hole.plain or name
    elif name in EVALUATING:
        _mark(arguments, name)
    elif name in ("source", "."):
        _mark([word for word in arguments[:1] if word.expands], name)
        return name if any(word.text in _INPUT for word in arguments[:1]) else ""
    elif name in DECLARING:
        strict = any(word.text.startswith(("-", "+")) for word in arguments)
        _mark([word for word in arguments if strict or not _ASSIGNMENT.match(word.text)], name)
    elif name in ("test", "[", "printf") and any(word.text in ("-v", "-R") for word in arguments):
        _mark(arguments, f"{name} -v")
    return ""


def _mark_program(words: Sequence[Word], position: int, word: Word) -> str:
    """Note the code of the program at *position*; return its name if it reads code from its input."""
    name = word.text.rsplit("/", 1)[-1]
    base = name if name in ALL_CODE else _VERSION.sub("", name) or name
    if base in AMBIGUOUS and _is_argument(words, position):
        return ""
    arguments = words[position + 1 :]
    if base in SHELLS:
        return _mark_shell(arguments, base)
    if base in PYTHONS:
        return _mark_python(arguments, base)
    if base in BY_OPTION:
        return _mark_options(arguments, base)
    if base in ALL_CODE:
        _mark(arguments, base)
        return base if ALL_CODE[base] else ""
    if base in BY_WORD:
        _mark_by_word(arguments, base)
    elif base in WITH_COMMAND:
        _mark_after(arguments, "c", base)
    elif base == "xargs":
        for at, each in enumerate(arguments):
            _mark_program(arguments, at, each)
        return base if any(each.code for each in arguments) else ""
    elif word.expands or (position == 0 and word.holes):
        _mark_after(arguments, "ceE", "an interpreter")
    return ""


def _is_argument(words: Sequence[Word], position: int) -> bool:
    """Return whether a name stands behind an interpreter or a script, or is the value of a program's long option."""
    earlier = [word.text.rsplit("/", 1)[-1] for word in words[:position]]
    if any(text.endswith((".py", ".sh", ".R", ".jar")) or _VERSION.sub("", text) in PYTHONS for text in earlier):
        return True
    return position > 1 and words[position - 1].text.startswith("--") and earlier[0] not in RESERVED


def _mark_by_word(words: Sequence[Word], who: str) -> None:
    """Note the options whose values are code, and what follows one without a value of its own."""
    pattern = BY_WORD[who]
    for at, word in enumerate(words):
        found = pattern.match(word.text)
        if found:
            _mark(words[at : at + (1 if found.end() < len(word.text) else 2)], who)


def _is_option(text: str) -> bool:
    return text[:1] in ("-", "+") and len(text) > 1


def _mark_after(words: Sequence[Word], letters: str, who: str) -> None:
    """Note all words behind an option with one of *letters*, as far as the next one that is no option."""
    is_code = False
    for word in words:
        if _is_option(word.text):
            is_code |= word.text.startswith(LONG_CODE) or (word.text[1] != "-" and any(x in word.text for x in letters))
            if is_code:
                _mark([word], who)
        elif is_code:
            _mark([word], who)
            is_code = False


def _mark_shell(words: Sequence[Word], who: str) -> str:
    """Note the command string of `sh -c`: with a c among the options it is the first word that is none."""
    is_code = False
    skip = False
    for word in words:
        text = word.text
        if skip:
            skip = False
        elif text in ("--", "-"):
            continue
        elif _is_option(text) and text[1] != "-":
            is_code |= "c" in text or (who == "fish" and "C" in text)
            skip = "o" in text or "O" in text
            _mark([word], who)
            if "s" in text and not is_code:
                return who
        elif _is_option(text):
            is_code |= text.startswith(LONG_CODE)
            skip = text in ("--rcfile", "--init-file")
            _mark([word], who)
        elif is_code or word.expands:  # the code, or a script's file such as <(...)
            _mark([word], who)
            return ""
        else:
            return who if text in _INPUT else ""  # a script's file; what follows are its arguments
    return "" if is_code else who


def _mark_python(words: Sequence[Word], who: str) -> str:
    """Note the code of `python -c`: the rest of that option, or the next word."""
    skip = False
    for at, word in enumerate(words):
        if skip:
            skip = False
        elif not _is_option(word.text):
            if word.expands:
                _mark([word], who)
            return who if word.text in _INPUT else ""
        elif word.text.startswith("--"):
            skip = word.text == "--check-hash-based-pycs"
        else:
            letter = next((char for char in word.text[1:] if char in "cmWX "), "")
            if letter in ("c", " "):  # a space stands for a value, which could be any option
                _mark(words[at : at + 2], who)
                return ""
            if letter == "m":
                return ""
            skip = letter != "" and word.text.endswith(letter)
    return who


def _mark_options(words: Sequence[Word], who: str) -> str:
    letters, takes, first_is_code = BY_OPTION[who]
    had_code = is_argument = False
    for at, word in enumerate(words):
        text = word.text
        if _is_option(text):
            is_long = text.startswith("--")
            if text.startswith(LONG_CODE) if is_long else any(char in text for char in letters):
                _mark(words[at : at + 2], who)
                had_code = True
                is_argument = True
            else:
                is_argument = text in takes or (is_long and "=" not in text)
        elif is_argument:
            is_argument = False
        else:
            if first_is_code and not had_code:
                _mark([word], who)
            return who if text in _INPUT and not first_is_code else ""
    return "" if had_code or first_is_code else who
