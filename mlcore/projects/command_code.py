"""Words of a command that another program reads as code: a value in them could say anything, quoted or not."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mlcore.projects.command_scan import Simple, Word

# Per interpreter: letters of options whose next word (or rest) is code, options that take a word, and whether the
# first word that is no option is code too.
_SHELLS = frozenset(
    {"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "busybox", "rbash", "su", "script", "flock"}
)
_BY_OPTION = {
    "python": ("c", ("-W", "-X", "--check-hash-based-pycs"), False),
    "pypy": ("c", ("-W", "-X"), False),
    "perl": ("eE", ("-I",), False),
    "ruby": ("e", ("-I", "-r", "-C"), False),
    "node": ("ep", ("-r", "--require", "--import", "-C"), False),
    "nodejs": ("ep", ("-r", "--require", "--import", "-C"), False),
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
_LONG_CODE = ("--eval", "--print", "--command", "--expression", "--source")
_SHELL_OPTIONS = ("-o", "+o", "-O", "+O", "--rcfile", "--init-file", "-s", "-g", "-w", "-E")
_EVALUATING = frozenset({"eval", "trap", "let", "unset", "read", "mapfile", "readarray", "getopts", "ssh", "[["})
_DECLARING = frozenset({"declare", "typeset", "local", "export", "readonly"})
_RESERVED = frozenset(
    {"if", "then", "elif", "else", "do", "while", "until", "!", "{", "time", "command", "builtin", "exec"}
)
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_VERSION = re.compile(r"[\d.]+(\.exe)?$")
# What only a shell has, or has differently from the program of the same name.
BUILTINS = frozenset(
    "cd . source export set unset exec eval if for while until case select function time [[ { } ! umask ulimit trap wait read "
    "alias unalias shift return exit break continue local declare typeset readonly pushd popd dirs type hash jobs fg bg "
    "disown let getopts builtin command shopt enable history mapfile readarray coproc : [".split()
)


def needs_shell(command: Simple) -> bool:
    """Return whether a command without operators still is one of the shell itself: an assignment, a builtin."""
    first = command.words[0].text
    return first in BUILTINS or bool(_ASSIGNMENT.match(first))


def mark_code(commands: Sequence[Simple]) -> None:
    """Note in the holes that are read as code who reads them."""
    for at, command in enumerate(commands):
        _mark_builtin(command.words)
        for position, word in enumerate(command.words):
            reads_input = _mark_interpreter(command.words, position, word)
            if reads_input:
                _mark([*command.words[position:], *command.redirected], reads_input)
                earlier = at
                while commands[earlier].piped and earlier > 0:
                    earlier -= 1
                    _mark(commands[earlier].words, reads_input)


def _mark(words: Sequence[Word], who: str) -> None:
    for word in words:
        for hole in word.holes:
            hole.plain = hole.plain or who


def _mark_builtin(words: Sequence[Word]) -> None:
    at = 0
    while at < len(words) and (words[at].text in _RESERVED or _ASSIGNMENT.match(words[at].text)):
        at += 1
    for word in words[: at + 1]:
        if re.match(r"[A-Za-z_][A-Za-z0-9_]*\[", word.text):
            _mark([word], "an index of an array")
    if at == len(words):
        return
    name, arguments = words[at].text, words[at + 1 :]
    if name in _EVALUATING:
        _mark(arguments, name)
    elif name in ("source", "."):
        _mark([word for word in arguments[:1] if word.expands], name)
    elif name in _DECLARING:
        strict = any(word.text.startswith(("-", "+")) for word in arguments)
        _mark([word for word in arguments if strict or not _ASSIGNMENT.match(word.text)], name)
    elif name in ("test", "[", "printf") and any(word.text in ("-v", "-R") for word in arguments):
        _mark(arguments, f"{name} -v")


def _mark_interpreter(words: Sequence[Word], position: int, word: Word) -> str:
    """Note the code of the interpreter at *position*; return its name if it reads code from its input."""
    name = word.text.rsplit("/", 1)[-1]
    base = _VERSION.sub("", name) or name
    if base in _SHELLS:
        return _mark_shell(words[position + 1 :], base)
    unknown = word.expands or (position == 0 and word.holes)
    if base not in _BY_OPTION and not unknown:
        return ""
    if unknown and base not in _BY_OPTION:
        return _mark_options(words[position + 1 :], "ceE", (), first_is_code=False, who="an interpreter") and ""
    letters, takes, first_is_code = _BY_OPTION[base]
    return _mark_options(words[position + 1 :], letters, takes, first_is_code=first_is_code, who=base)


def _mark_shell(words: Sequence[Word], who: str) -> str:
    """Note the command string of `sh -c`: with a c among the options it is the first word that is none."""
    is_code = False
    skip = False
    for word in words:
        text = word.text
        if skip:
            skip = False
        elif text == "--":
            continue
        elif text in _SHELL_OPTIONS:
            skip = True
        elif text.startswith(("-", "+")) and len(text) > 1:
            is_code |= text.startswith("--command") or (not text.startswith("--") and "c" in text)
            _mark([word], who)
        elif is_code:
            _mark([word], who)
            return ""
        elif who not in ("su", "script", "flock", "busybox"):
            if word.expands:
                _mark([word], who)  # sh <(...)
            return ""  # a script's file; what follows are its arguments
    return "" if is_code else who


def _mark_options(words: Sequence[Word], letters: str, takes: tuple[str, ...], *, first_is_code: bool, who: str) -> str:
    at = 0
    had_code = False
    while at < len(words):
        text = words[at].text
        at += 1
        if text in takes:
            at += 1
        elif text.startswith("--"):
            if text.split("=", 1)[0] in _LONG_CODE:
                _mark(words[at - 1 : at + 1], who)
                had_code = True
                at += "=" not in text
        elif text.startswith("-") and len(text) > 1:
            letter = next((char for char in text[1:] if char in f"{letters}m"), "")
            if letter == "m" and who in ("python", "pypy"):
                return ""
            if letter and letter in letters:
                attached = not text.endswith(letter)
                _mark(words[at - 1 : at + (0 if attached else 1)], who)
                had_code = True
                at += not attached
                if who in ("python", "pypy"):
                    return ""
        else:
            if first_is_code and not had_code:
                _mark(words[at - 1 : at], who)
            return ""
    return "" if had_code or first_is_code else who
