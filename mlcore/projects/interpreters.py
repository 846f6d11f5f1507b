"""The interpreters of Python on this machine, and the one that fits what a project asks for."""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from mlcore.errors import ProjectError

logger: logging.Logger = logging.getLogger(__name__)

_VERSION = re.compile(r"^(?:cpython-)?(\d+\.\d+\.\d+)")
_CONDITION = re.compile(r"^(<=|>=|==|!=|~=|<|>|=)\s*(\d+(?:\.\d+)*)(?:\.\*)?$")
_ASK = "import platform; print(platform.python_version())"
_TIMEOUT_S = 20


@frozen
class Interpreter:
    """An interpreter of Python. version: in full, such as `3.11.7`."""

    path: Path
    version: str


def running() -> Interpreter:
    """Return the interpreter of this process."""
    return Interpreter(Path(sys.executable), platform.python_version())


def interpreter(wanted: str | None) -> Interpreter:
    """Return an interpreter of this machine for *wanted*: a version, a minor version, or conditions such as `>=3.10,<3.13`.

    The exact version where it is there; else another patch level of the same minor version, which is logged. The running
    one goes before others that fit as well. Nothing is downloaded.
    Raises ProjectError: there is none; says which are there.
    """
    here = running()
    if not wanted or _rank(wanted, here.version) == 0:
        return here
    found = [here, *_others()]
    ranks = [(rank, number) for number, each in enumerate(found) if (rank := _rank(wanted, each.version)) is not None]
    for rank, number in sorted(ranks):
        if number == 0 or _version_of(found[number].path) == found[number].version:
            if rank:
                logger.warning("Python %s is not here: Python %s is taken in its place", wanted, found[number].version)
            return found[number]
    there = ", ".join(sorted({each.version for each in found}, key=_numbers))
    raise ProjectError(
        f"there is no Python {wanted} on this machine (there are {there}): install it so that it is on PATH or below pyenv, "
        "or change the version that the project asks for"
    )


def _rank(wanted: str, version: str) -> int | None:
    """How well *version* fits: 0 as asked, 1 another patch level; None where it does not."""
    numbers = _numbers(version)
    text = wanted.strip()
    if re.fullmatch(r"\d+(\.\d+){0,2}(\.\*)?", text):
        asked = _numbers(text.removesuffix(".*"))
        if numbers[: len(asked)] == asked:
            return 0
        return 1 if len(asked) == 3 and numbers[:2] == asked[:2] else None
    conditions = [_CONDITION.match(part.strip()) for part in text.split(",")]
    if any(each is None for each in conditions):
        raise ProjectError(f"invalid Python version {wanted!r}: expected a version such as '3.11', or '>=3.10,<3.13'")
    return 0 if all(_holds(each[1], _numbers(each[2]), numbers) for each in conditions if each) else None


def _holds(operator: str, asked: tuple[int, ...], numbers: tuple[int, ...]) -> bool:
    start = numbers[: len(asked)]
    if operator in ("==", "="):
        return start == asked
    if operator == "!=":
        return start != asked
    if operator == "~=":
        return numbers >= asked and numbers[: len(asked) - 1] == asked[:-1]
    if operator in (">=", "<"):
        return (numbers >= asked) == (operator == ">=")
    whole = (*asked, *(0,) * (len(numbers) - len(asked)))
    return numbers <= whole if operator == "<=" else numbers > whole


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _others() -> Iterator[Interpreter]:
    """The interpreters that pyenv and uv keep, by the names of their directories, then those on PATH, which are asked."""
    seen = {Path(sys.executable).resolve()}
    homes = [Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"]
    homes.append(Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or Path.home() / ".local" / "share" / "uv" / "python"))
    for home in homes:
        for folder in sorted(home.glob("*"), key=lambda each: _numbers(each.name), reverse=True):
            path = folder / "bin" / "python"
            named = _VERSION.match(folder.name)
            if named and path.exists() and path.resolve() not in seen:
                seen.add(path.resolve())
                yield Interpreter(path, named[1])
    for name in ("python3", *(f"python3.{minor}" for minor in range(20, 6, -1)), "python"):
        path_text = shutil.which(name)
        # a shim of pyenv stands for one of the above
        if path_text is None or Path(path_text).parent.name == "shims" or Path(path_text).resolve() in seen:
            continue
        seen.add(Path(path_text).resolve())
        version = _version_of(Path(path_text))
        if version:
            yield Interpreter(Path(path_text), version)


def _version_of(path: Path) -> str | None:
    """Ask an interpreter; None where it does not work."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(  # noqa: S603  # an interpreter, with a text of our own
            [str(path), "-I", "-c", _ASK], capture_output=True, text=True, check=False, timeout=_TIMEOUT_S
        )
        if done.returncode == 0:
            return done.stdout.strip()
    return None
