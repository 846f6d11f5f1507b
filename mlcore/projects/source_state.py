"""What differs between a working directory and its commit, as a diff that makes the one from the other."""

from __future__ import annotations

import hashlib
import itertools
import logging
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from mlcore.artifacts.progress import shown_size
from mlcore.errors import ProjectError
from mlcore.projects.git_program import asked, environment, git

# What recording leaves in a working directory is no part of the code.
STORES = ("mlcore.db", "mlcore.db-wal", "mlcore.db-shm", "mlcore.db-journal", "mlruns", "mlartifacts", "mlflow.db")
_NO_CODE = (
    *STORES,
    "__pycache__",
    ".git",
    ".venv",
    ".ipynb_checkpoints",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
)
MAX_FILE_BYTES, MAX_DIFF_BYTES = 4 << 20, 32 << 20
_LEFT_OUT = "# left out: "
_WITHHELD = "# withheld: "  # on purpose; what was made without them can be made again without them
# Usual names of files with secrets, which lie untracked in many working directories.
_SECRET = re.compile(
    r"\.env(?:rc|\..+)?|.+\.env|.*\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk)|id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?"
    r"|[._]netrc|\.git-credentials|\.pgpass|\.pypirc|\.npmrc|\.htpasswd|\.dockercfg|\.databrickscfg|kaggle\.json"
    r"|(?:.*[._\-])?(?:credentials?|secrets?)(?:\.(?:json|ya?ml|toml|ini|cfg|conf|csv|txt|env))?"
    r"|(?:client_secret|service[_\-]account).*\.json",
    re.IGNORECASE,
)
_NO_SECRET = (".example", ".sample", ".template", ".dist")  # `.env.example` is there to be copied
_NAMED = 5

logger: logging.Logger = logging.getLogger(__name__)


@frozen
class State:
    """The state of the repository that a directory is in.

    top: the root of its working tree. prefix: the directory's path below it.
    commit, branch: None before the first commit, and without a branch.
    changed: paths that differ from the commit, those of untracked files included.
    inside: submodules with changes that they have not committed; those are no part of this repository's tree.
    untracked: those of *changed* that git does not track.
    """

    top: Path
    prefix: str
    commit: str | None
    branch: str | None
    changed: tuple[str, ...]
    inside: tuple[str, ...] = ()
    untracked: frozenset[str] = frozenset()


def state_of(directory: Path) -> State | None:
    """Return the state of the repository around *directory*; None outside of one, and where git refuses to look."""
    if not any((folder / ".git").exists() for folder in (directory, *directory.parents)):
        return None
    done = git("-C", str(directory), "rev-parse", "--show-toplevel", "--show-prefix")
    if done.code or not done.text:
        return None
    top, _, prefix = done.text.partition("\n")
    options = ("--porcelain=v2", "--branch", "-z", "--untracked-files=all", "--no-renames")
    status = git("-C", top, "status", *options)
    if status.code:
        return None
    entries = status.out.decode("utf-8", "surrogateescape").split("\0")
    headers = {words[1]: words[2] for words in (e.split(" ", 2) for e in entries if e[:2] == "# ") if len(words) > 2}
    commit, branch = headers.get("branch.oid", "(initial)"), headers.get("branch.head", "(detached)")
    return State(
        Path(top),
        prefix.strip("/"),
        None if commit == "(initial)" else commit,
        None if branch == "(detached)" else branch,
        tuple(path for path in map(_changed, entries) if path and not _is_store(path)),
        tuple(_changed(entry) for entry in entries if re.match(r"1 \S+ S(?:.M.|..U) ", entry)),
        frozenset(_changed(entry) for entry in entries if entry.startswith("? ")),
    )


def _changed(entry: str) -> str:
    """Return the path of one entry of `git status --porcelain=v2`; of an ignored one or header nothing."""
    fields = {"1": 8, "2": 9, "u": 10, "?": 1}.get(entry[:1], 0)
    return entry.split(" ", fields)[fields] if fields and entry.count(" ") >= fields else ""


def _is_store(path: str) -> bool:
    return any(part in STORES or part == "__pycache__" for part in path.split("/"))


def diff_of(state: State, *, with_untracked: bool = True) -> str:
    """Return what makes the tree of the commit into the working tree: text, binary files, modes, untracked files.

    Files larger than 4 MB are left out and named in the first lines, as are those that the 32 MB of the diff have no
    room for, those that cannot be read, what is in other repositories, and those whose names are of secrets.
    with_untracked: whether files that git does not track are kept; else they are named alone.
    How many of those are kept, and what is withheld, is logged.
    """
    if not state.changed or state.commit is None:
        return ""
    withheld = {path: why for path in state.changed if (why := _withheld(state, path, with_untracked=with_untracked))}
    kept, left = _bounded(state, [path for path in state.changed if path not in withheld])
    try:
        with _tree(state, kept) as (place, tree):
            diff = _diff(place, state.commit, tree)
    except ProjectError as err:  # a filter that is not installed, a full disk: the code can run all the same
        left, kept, diff = [f"all changes ({' '.join(err.message.split())})"], [], ""
    _tell(state, kept, withheld)
    told = [f"{_LEFT_OUT}{each}\n" for each in left]
    return "".join([*told, *(f"{_WITHHELD}{path!r} ({why})\n" for path, why in withheld.items())]) + diff


def _withheld(state: State, path: str, *, with_untracked: bool) -> str:
    """Return why the changes of a file are not to be kept by anybody else; nothing when they may be."""
    name = path.rpartition("/")[2]
    if _SECRET.fullmatch(name) and not name.lower().endswith(_NO_SECRET):
        return "its name is that of a secret"
    return "not tracked" if path in state.untracked and not with_untracked else ""


def _tell(state: State, kept: Sequence[str], withheld: Mapping[str, str]) -> None:
    count = sum(path in state.untracked for path in kept)
    said = []
    if count:
        which = "1 untracked file goes" if count == 1 else f"{count} untracked files go"
        said.append(f"{which} into the run's record (MLCORE_KEEP_UNTRACKED=false keeps none)")
    secret = [repr(path) for path, why in withheld.items() if why != "not tracked"]
    if secret:
        more = f" and {len(secret) - _NAMED} more" if len(secret) > _NAMED else ""
        said.append(f"left out by their names, which are those of secrets: {', '.join(secret[:_NAMED])}{more}")
    if said:
        logger.warning("uncommitted changes in %r: %s", str(state.top), "; ".join(said))


def _bounded(state: State, paths: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the paths whose changes are kept, and what is said of the others."""
    kept: list[str] = []
    left = [f"{path!r} (changes inside of a submodule)" for path in state.inside]
    total = 0
    for path in paths:
        size, why = _measured(state.top / path)
        if path.endswith("/"):
            why = "a repository of its own"
        elif size > MAX_FILE_BYTES or total + size > MAX_DIFF_BYTES:
            why = shown_size(size)
        if why:
            left.append(f"{path!r} ({why})")
            continue
        kept.append(path)
        total += size
    return kept, left


def _measured(path: Path) -> tuple[int, str]:
    """Return the size of a file, and why it cannot be taken, if so."""
    try:
        found = path.lstat()
    except OSError:  # deleted
        return 0, ""
    is_readable = not stat.S_ISREG(found.st_mode) or os.access(path, os.R_OK)
    return found.st_size, "" if is_readable else "it cannot be read"


@contextmanager
def _tree(state: State, paths: Sequence[str]) -> Iterator[tuple[Path, str]]:
    """Yield an index's place and the tree of the commit with *paths* as they are; the repository stays untouched."""
    where = asked(state.top, "rev-parse", "--path-format=absolute", "--git-path", "index", "--git-path", "objects")
    index, objects = where.splitlines()
    with tempfile.TemporaryDirectory(prefix="mlcore-state-") as temporary:
        place = Path(temporary) / "git"
        asked(Path(temporary), "init", "--quiet", "--bare", "--template=", *_format(state), "--", str(place))
        (place / "objects" / "info").mkdir(exist_ok=True)
        (place / "objects" / "info" / "alternates").write_text(f"{objects}\n", "utf-8")
        if Path(index).is_file():
            shutil.copyfile(index, place / "index")
        env = environment() | {
            "GIT_INDEX_FILE": str(place / "index"),
            "GIT_OBJECT_DIRECTORY": str(place / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": objects,
        }
        given = b"".join(os.fsencode(path) + b"\0" for path in paths)
        words = ("update-index", "--add", "--remove", "-z", "--stdin")
        done = git("-C", str(state.top), "read-tree", "--reset", str(state.commit), env=env)
        done = git("-C", str(state.top), *words, env=env, given=given) if done.code == 0 else done
        if done.code:
            raise ProjectError(f"cannot take the state of {str(state.top)!r}: {done.words}")
        yield place, asked(state.top, "write-tree", env=env)


def _format(state: State) -> tuple[str, ...]:
    return ("--object-format=sha256",) if state.commit is not None and len(state.commit) == 64 else ()


def _diff(place: Path, commit: str, tree: str) -> str:
    """Return a diff of plain text; what is no UTF-8, or has line ends that files of text would lose, goes as binary."""
    options = ("diff-tree", "-r", "-p", "--binary", "--full-index", "--no-renames", "--no-ext-diff", "--no-textconv")
    done = git("--git-dir", str(place), *options, commit, tree)
    text = _plain(done.out)
    if text is None:
        (place / "info").mkdir(exist_ok=True)
        (place / "info" / "attributes").write_text("* -diff\n", "utf-8")
        done = git("--git-dir", str(place), *options, commit, tree)
        text = _plain(done.out)
    if done.code or text is None:
        raise ProjectError(f"cannot take the difference to commit {commit}: {done.words or 'it is no text'}")
    return text


def _plain(out: bytes) -> str | None:
    try:
        return None if b"\r" in out else out.decode("utf-8")
    except UnicodeDecodeError:
        return None


def apply_diff(directory: Path, diff: str) -> None:
    """Make the tree that *diff* was taken from out of a checkout of its commit.

    What was withheld is logged. Raises ProjectError: it does not fit, or files were too large to be kept in it; the
    message names them.
    """
    head = [*itertools.takewhile(lambda line: line.startswith((_LEFT_OUT, _WITHHELD)), diff.split("\n"))]
    left = [line.removeprefix(_LEFT_OUT) for line in head if line.startswith(_LEFT_OUT)]
    if left:
        raise ProjectError(
            f"the uncommitted changes were not kept whole, so they cannot be made again: {', '.join(left)} left out"
        )
    if head:
        names = ", ".join(line.removeprefix(_WITHHELD) for line in head)
        logger.warning("changes of these files were not kept, so the code has none of them now: %s", names)
    diff = "\n".join(diff.split("\n")[len(head) :])
    if not diff.strip():
        return
    top = Path(asked(directory, "rev-parse", "--show-toplevel"))
    done = git("-C", str(top), "apply", "--whitespace=nowarn", "--binary", "-", given=diff.encode("utf-8"))
    if done.code:
        raise ProjectError(f"the kept changes do not fit the commit in {str(top)!r}: {done.words}")


def content_id(state: State) -> str:
    """Return the id of the whole working tree, untracked files included, whatever their size."""
    with _tree(state, [path for path in state.changed if not path.endswith("/")]) as (_, tree):
        return tree


def hash_of(directory: Path) -> str:
    """Return the SHA-256 over the names and contents of all files of a directory without git; stores are left out."""
    digest = hashlib.sha256()
    for path in sorted(_files(directory), key=lambda found: found.relative_to(directory).as_posix()):
        digest.update(os.fsencode(path.relative_to(directory).as_posix()) + b"\0")
        if path.is_symlink():
            digest.update(b"link\0" + os.fsencode(path.readlink()) + b"\0")
            continue
        digest.update(f"{path.stat().st_mode & 0o111 != 0} {path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _files(directory: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(directory):
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        folders[:] = sorted(name for name in folders if name not in _NO_CODE and name not in links)
        yield from (Path(folder) / name for name in (*files, *links) if name not in _NO_CODE)
