"""Words of a command that another program reads as code: a value in them could say anything, quoted or not.

Where it is not sure what a word is, it counts as code: then a value in it has to be plain, as almost all are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mlcore.projects.command_scan import Simple, Word

_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "rbash"})
# Programs whose option -c is a command for a shell, wherever it stands.
_WITH_COMMAND = frozenset({"su", "runuser", "sg", "script", "flock"})
# Per interpreter: letters of options whose next word (or rest) is code, options that take another word, and whether the
# first word that is no option is code too.
_BY_OPTION: dict[str, tuple[str, tuple[str, ...], bool]] = {
    "perl": ("eE", ("-I",), False),
    "ruby": ("e", ("-I", "-r", "-C"), False),
    "node": ("ep", ("-r", "-C"), False),
    "nodejs": ("ep", ("-r", "-C"), False),
    "R": ("e", ("-g", "-d"), False),
    "Rscript": ("e", (), False),
    "julia": ("eE", ("-p", "-t", "-J"), False),
    "php": ("rBRE", ("-d", "-c"), False),
    "lua": ("e", ("-l",), False),
    "sed": ("e", ("-f", "-l"), True),
    "awk": ("e", ("-f", "-v", "-F"), True),
    "gawk": ("e", ("-f", "-v", "-F"), True),
    "mawk": ("", ("-f", "-v", "-F"), True),
}
_PYTHONS = frozenset({"python", "ipython", "pypy"})
_LONG_CODE = ("--eval", "--print", "--command", "--expression", "--source", "--init-command")
_EVALUATING = frozenset("eval trap let unset read mapfile readarray getopts ssh watch parallel [[".split())
_DECLARING = frozenset({"declare", "typeset", "local", "export", "readonly"})
_RESERVED = frozenset("if then elif else do while until ! { time command builtin exec coproc env nohup sudo in".split())
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_INDEX = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)?\[.")
_PROMPT = re.compile(r"(PS\d|PROMPT_COMMAND)\+?=")
_VERSION = re.compile(r"[\d.]+(\.exe)?$")
_INPUT = frozenset({"-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"})
# What only a shell has, or has differently from the program of the same name.
BUILTINS = frozenset(
    "cd . source export set unset exec eval if for while until case select function time [[ { } ! umask ulimit trap wait "
    "read alias unalias shift return exit break continue local declare typeset readonly pushd popd dirs type hash jobs "
    "fg bg disown let getopts builtin command shopt enable history mapfile readarray coproc : [".split()
)


def needs_shell(command: Simple) -> bool:
    """Return whether a command without operators still is one of the shell itself: an assignment, a builtin."""
    first = command.words[0].text
    return first in BUILTINS or bool(_ASSIGNMENT.match(first))


def mark_code(commands: Sequence[Simple]) -> None:
    """Note in the holes that are read as code who reads them."""
    for at, command in enumerate(commands):
        readers = [_mark_builtin(command.words)]
        readers += [_mark_interpreter(command.words, position, word) for position, word in enumerate(command.words)]
        for reader in filter(None, readers):
            _mark([*command.words, *command.redirected], reader)
            earlier = at
            while commands[earlier].piped and earlier > 0:
                earlier -= 1
                _mark(commands[earlier].words + commands[earlier].redirected, reader)
    if any(_makes_integers(command.words) for command in commands):
        _mark([word for command in commands for word in command.words if _ASSIGNMENT.match(word.text)], "declare -i")


def _mark(words: Sequence[Word], who: str) -> None:
    for word in words:
        for hole in word.holes:
            hole.plain = hole.plain or who


def _makes_integers(words: Sequence[Word]) -> bool:
    texts = [word.text for word in words]
    return any(text in _DECLARING for text in texts) and any(re.match(r"-\w*i", text) for text in texts)


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
        if at_command or text == "eval":
            reader = _mark_arguments(text, words[at + 1 :]) or reader
        at_command = text in _RESERVED or bool(_ASSIGNMENT.match(text)) or (at_command and text.startswith("-"))
    return reader


def _mark_arguments(name: str, arguments: Sequence[Word]) -> str:
    if name in _EVALUATING:
        _mark(arguments, name)
    elif name in ("source", "."):
        _mark([word for word in arguments[:1] if word.expands], name)
        return name if any(word.text in _INPUT for word in arguments[:1]) else ""
    elif name in _DECLARING:
        strict = any(word.text.startswith(("-", "+")) for word in arguments)
        _mark([word for word in arguments if strict or not _ASSIGNMENT.match(word.text)], name)
    elif name in ("test", "[", "printf") and any(word.text in ("-v", "-R") for word in arguments):
        _mark(arguments, f"{name} -v")
    return ""


def _mark_interpreter(words: Sequence[Word], position: int, word: Word) -> str:
    """Note the code of the interpreter at *position*; return its name if it reads code from its input."""
    name = word.text.rsplit("/", 1)[-1]
    base = _VERSION.sub("", name) or name
    arguments = words[position + 1 :]
    if base in _SHELLS:
        return _mark_shell(arguments, base)
    if base in _PYTHONS:
        return _mark_python(arguments, base)
    if base in _BY_OPTION:
        return _mark_options(arguments, base)
    if base in _WITH_COMMAND:
        _mark_after(arguments, "c", base)
    elif word.expands or (position == 0 and word.holes):
        _mark_after(arguments, "ceE", "an interpreter")
    return ""


def _is_option(text: str) -> bool:
    return text[:1] in ("-", "+") and len(text) > 1


def _mark_after(words: Sequence[Word], letters: str, who: str) -> None:
    """Note all words behind an option with one of *letters*, as far as the next one that is no option."""
    is_code = False
    for word in words:
        if _is_option(word.text):
            is_code |= word.text.startswith(_LONG_CODE) or (
                word.text[1] != "-" and any(x in word.text for x in letters)
            )
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
            is_code |= text.startswith(_LONG_CODE)
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
    letters, takes, first_is_code = _BY_OPTION[who]
    had_code = is_argument = False
    for at, word in enumerate(words):
        text = word.text
        if _is_option(text):
            is_long = text.startswith("--")
            if text.startswith(_LONG_CODE) if is_long else any(char in text for char in letters):
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
