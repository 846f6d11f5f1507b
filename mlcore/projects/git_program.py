"""Call the git program: argument lists, an environment that never waits for a person who is not there, and its words."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from attrs import frozen

from mlcore.errors import ProjectError

# What points git to another repository than the one that is meant, as inside of a git hook.
_ELSEWHERE = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_PREFIX",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CEILING_DIRECTORIES",
)
# A repository's own configuration may name programs as monitor or hooks; looking at it must not run them.
_QUIET = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "-c", "gc.auto=0")
_QUIET_MORE = ("-c", "maintenance.auto=false", "-c", "advice.detachedHead=false", "-c", "core.longpaths=true")
_SSH = "ssh -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=15 -o ServerAliveCountMax=4"
# Where no repository is whose configuration would count.
NOWHERE = Path.home().anchor or "/"
REMOTE_PROTOCOLS = ("git", "http", "https", "ssh")


@frozen
class Done:
    """What a call of git left: its exit code, what it printed, and its words for people."""

    code: int
    out: bytes
    words: str

    @property
    def text(self) -> str:
        """The output as text, without the last line's end."""
        return self.out.decode("utf-8", "surrogateescape").rstrip("\n")


def git(
    *arguments: str,
    env: Mapping[str, str] | None = None,
    given: bytes | None = None,
    timeout_s: float | None = None,
    kept: Sequence[int] = (),
) -> Done:
    """Run git with *arguments* and wait for it.

    env: in place of `environment()`.
    given: for its standard input.
    kept: file descriptors that git and its children keep open, so that a lock lasts as long as the last of them.
    Raises ProjectError: there is no git, or it took longer than *timeout_s*; it and its children have been ended.
    """
    program = shutil.which("git")
    if program is None:
        raise ProjectError("the program git is not on PATH, and this project comes from a git repository: install git")
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:  # an ssh that stays would keep pipes open
        process = subprocess.Popen(  # noqa: S603  # a list of words, no shell
            [program, *_QUIET, *_QUIET_MORE, *arguments],
            stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
            stdout=out,
            stderr=err,
            env=dict(environment() if env is None else env),
            pass_fds=tuple(kept),
            start_new_session=not has_terminal(),
        )
        try:
            _feed(process, given)
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired as timeout:
            called = arguments[2] if arguments[0] == "-C" else arguments[0]
            raise ProjectError(f"git {called} did not end within {timeout_s:g} s") from timeout
        finally:
            _end(process)
        return Done(code, _whole(out), _whole(err).decode("utf-8", "replace").strip())


def _feed(process: subprocess.Popen[bytes], given: bytes | None) -> None:
    if given is None or process.stdin is None:
        return
    try:
        process.stdin.write(given)
        process.stdin.close()
    except BrokenPipeError:  # git's exit code says why it did not read on
        pass


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    try:
        if has_terminal():
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def _whole(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def asked(directory: Path, *arguments: str, env: Mapping[str, str] | None = None) -> str:
    """Return what git prints about the repository around *directory*. Raises ProjectError: it fails; in its words."""
    done = git("-C", str(directory), *arguments, env=env)
    if done.code:
        raise ProjectError(f"git {arguments[0]} failed in {str(directory)!r}: {done.words or done.code}")
    return done.text


def has_terminal() -> bool:
    """Whether a person can be asked: both standard input and standard error are a terminal."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def environment(*, protocols: Sequence[str] = (*REMOTE_PROTOCOLS, "file")) -> dict[str, str]:
    """Return the variables that git runs with.

    Without a terminal nothing asks for a password: git's credential helpers and ssh's agent and keys have it, or the
    call fails at once. Protocols that run programs (`ext::`) are off.
    """
    found = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    own = os.environ.get("GIT_ALLOW_PROTOCOL")
    allowed = [name for name in protocols if own is None or name in own.split(":")]
    found |= {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_ALLOW_PROTOCOL": ":".join(allowed)}
    found.setdefault("GIT_HTTP_LOW_SPEED_LIMIT", "1")
    found.setdefault("GIT_HTTP_LOW_SPEED_TIME", "60")
    if not has_terminal():
        found["GIT_TERMINAL_PROMPT"] = "0"
        found["GCM_INTERACTIVE"] = "never"
        found.pop("SSH_ASKPASS", None)
    return found


def remote_environment(*, protocols: Sequence[str]) -> dict[str, str]:
    """Return the variables for calls that may go over the network; the user's own choice of an ssh stays."""
    found = environment(protocols=protocols)
    if has_terminal() or {"GIT_SSH", "GIT_SSH_COMMAND"} & found.keys():
        return found
    if not git("-C", NOWHERE, "config", "--get", "core.sshCommand", env=found).out:
        found["GIT_SSH_COMMAND"] = _SSH
    return found


@frozen
class _Fault:
    """Words of git by which a failure is known, and what to say of it."""

    words: re.Pattern[str]
    meaning: str


_NO_TERMINAL = (
    "it wants credentials, and git's own helpers have none that fit; a password is asked for in a terminal only: "
    "set up a credential helper (git help credentials) or an ssh key that needs no password"
)
_FAULTS = (
    _Fault(
        re.compile(
            r"could not read (Username|Password)|terminal prompts disabled|Authentication failed|Permission denied"
            r"|Host key verification failed|Invalid username|returned error: (401|403)",
            re.IGNORECASE,
        ),
        _NO_TERMINAL,
    ),
    _Fault(
        re.compile(
            r"Could not resolve host|Failed to connect|Couldn't connect|Connection (refused|timed out|reset)"
            r"|Network is unreachable|No route to host|Temporary failure in name resolution|Operation too slow"
            r"|SSL|certificate|unable to connect",
            re.IGNORECASE,
        ),
        "the server cannot be reached: check the URL and the network",
    ),
    _Fault(
        re.compile(
            r"not found|does not appear to be a git repository|does not exist|returned error: 404", re.IGNORECASE
        ),
        "there is no such repository, or it is not to be seen without credentials",
    ),
    _Fault(re.compile(r"transport '.*' not allowed", re.IGNORECASE), "its protocol is not allowed here"),
)


def remote_error(shown: str, words: str) -> ProjectError:
    """Return the error for a repository that could not be read, from git's *words*; *shown* has no secrets."""
    meaning = next((fault.meaning for fault in _FAULTS if fault.words.search(words)), "git failed")
    return ProjectError(f"cannot read the git repository {shown!r}: {meaning}; git says: {words or 'nothing'}")
