"""Check a commit of a git repository out for one run."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from attrs import frozen

from mlcore.errors import ProjectError
from mlcore.projects.git_cache import Cached, commit_at, forget, is_cached
from mlcore.projects.git_program import REMOTE_PROTOCOLS, asked, environment, git, remote_environment
from mlcore.projects.git_refs import COMMIT, Found, Remote, checked, find, no_such_version
from mlcore.projects.source import Source
from mlcore.projects.source_uris import Place, place_of, without_credentials

_HELPER = '!f() { printf \'username=%s\\npassword=%s\\n\' "$MLCORE_GIT_USERNAME" "$MLCORE_GIT_PASSWORD"; }; f'
_MAX_DEPTH = 8


@frozen
class _Origin:
    """Where the objects of a commit are on this machine.

    objects: of a repository that has it, used in place.
    shallow: the list of commits without parents there, if any.
    """

    objects: Path
    shallow: Path
    commit: str
    branch: str | None
    url: str


def fetched(place: Place, version: str | None, root: Path) -> Source:
    """Return the commit of *place* that *version* means, checked out into the new directory *root*.

    Raises ProjectError: it cannot be had; *root* may then be there in part.
    """
    remote = Remote(place.url, place.shown.partition("#")[0], _environment(place))
    found = Found(version) if version and COMMIT.match(version) else None
    found = found if found and is_cached(remote.url, found.commit or "") else find(remote, version)
    root.mkdir(parents=True, exist_ok=True)
    cached = commit_at(remote, found, version or "HEAD", root)
    try:
        _check_out(_of_cache(cached, found.branch, place.url), root)
    except ProjectError:
        forget(cached)  # a cache that was damaged is made anew, once
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True, exist_ok=True)
        cached = commit_at(remote, found, version or "HEAD", root)
        _check_out(_of_cache(cached, found.branch, place.url), root)
    _submodules(root, place.url, remote.env, 1)
    return Source(
        uri=place.shown,
        directory=root,
        temporary=root,
        subdirectory=place.subdirectory,
        version=version,
        commit=cached.commit,
        repo_url=without_credentials(place.url),
        branch=found.branch,
    )


def local_commit(repository: Path, place: Place, version: str | None, root: Path) -> Source:
    """Return a commit of a repository on this machine, checked out into *root*; the repository is left as it is."""
    top = repository.absolute()
    if git("-C", str(top), "rev-parse", "--is-bare-repository").text == "true":
        prefix = ""
    else:
        prefix = asked(top, "rev-parse", "--show-prefix").strip("/")
        top = Path(asked(top, "rev-parse", "--show-toplevel"))
    origin = _local(top, version)
    _check_out(origin, root)
    _submodules(root, str(top), remote_environment(protocols=(*REMOTE_PROTOCOLS, "file")), 1)
    return Source(
        uri=place.shown,
        directory=root / prefix,
        temporary=root,
        subdirectory=place.subdirectory,
        version=version,
        commit=origin.commit,
        repo_url=origin_url(top),
        branch=origin.branch,
    )


def origin_url(repository: Path) -> str | None:
    """Return the URL of the remote `origin`, without credentials; None when there is none."""
    done = git("-C", str(repository), "config", "--get", "remote.origin.url")
    return without_credentials(done.text) or None if done.code == 0 else None


def _local(top: Path, version: str | None) -> _Origin:
    name = "HEAD" if version is None else checked(version)
    done = git("-C", str(top), "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if done.code:
        refs = asked(top, "for-each-ref", "--format=%(refname)").splitlines()
        heads, tags = ([r.split("/", 2)[2] for r in refs if r.startswith(f"refs/{w}/")] for w in ("heads", "tags"))
        raise no_such_version(str(top), name, heads, tags)
    where = asked(top, "rev-parse", "--path-format=absolute", "--git-path", "objects", "--git-path", "shallow")
    objects, shallow = where.splitlines()
    full = git("-C", str(top), "rev-parse", "--symbolic-full-name", "--end-of-options", name).text
    branch = full.splitlines()[-1].removeprefix("refs/heads/") if full.splitlines()[-1:] != [] else ""
    is_branch = branch and full.splitlines()[-1].startswith("refs/heads/")
    return _Origin(Path(objects), Path(shallow), done.text, branch if is_branch else None, origin_url(top) or str(top))


def _of_cache(cached: Cached, branch: str | None, url: str) -> _Origin:
    return _Origin(cached.directory / "objects", cached.directory / "shallow", cached.commit, branch, url)


def _check_out(origin: _Origin, root: Path) -> None:
    """Make a repository whose objects are the origin's, and put the files of the commit into it."""
    kind = ("--object-format=sha256",) if len(origin.commit) == 64 else ()
    asked(Path(root.anchor or "."), "init", "--quiet", "--template=", *kind, "--", str(root))
    place = root / ".git"
    (place / "objects" / "info").mkdir(parents=True, exist_ok=True)
    (place / "objects" / "info" / "alternates").write_text(f"{origin.objects}\n", "utf-8")
    if origin.shallow.is_file():
        shutil.copyfile(origin.shallow, place / "shallow")
    asked(root, "config", "remote.origin.url", without_credentials(origin.url))
    if origin.branch:
        asked(root, "symbolic-ref", "HEAD", f"refs/heads/{origin.branch}")
        asked(root, "update-ref", "HEAD", origin.commit)
    else:
        asked(root, "update-ref", "--no-deref", "HEAD", origin.commit)
    asked(root, "reset", "--quiet", "--hard")


def _environment(place: Place) -> dict[str, str]:
    """Return git's variables; the credentials of the URL go by them, as other users can read command lines."""
    found = remote_environment(protocols=REMOTE_PROTOCOLS)
    if not (place.username or place.password):
        return found
    split = urlsplit(place.url)
    count = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    scope = f"credential.{split.scheme}://{split.netloc}.helper"
    helpers = ("", _HELPER)  # the empty one takes the user's own helpers out, which would be told the password
    for number, value in enumerate(helpers, count):
        found |= {f"GIT_CONFIG_KEY_{number}": scope, f"GIT_CONFIG_VALUE_{number}": value}
    found["GIT_CONFIG_COUNT"] = str(count + len(helpers))
    return found | {"MLCORE_GIT_USERNAME": place.username, "MLCORE_GIT_PASSWORD": place.password}


@frozen
class _Submodule:
    path: str
    url: str
    commit: str


def _submodules(root: Path, url: str, env: Mapping[str, str], depth: int) -> None:
    """Put the submodules of a checkout into it, at the commits that it names, by the same cache and rules."""
    if not (root / ".gitmodules").is_file():
        return
    if depth > _MAX_DEPTH:
        raise ProjectError(
            f"the git repository {without_credentials(url)!r} has submodules more than {_MAX_DEPTH} deep"
        )
    for module in _listed(root, url):
        target = root / module.path
        remote_path = Path(module.url)
        if "://" not in module.url and remote_path.is_absolute() and remote_path.is_dir() and Path(url).is_absolute():
            _check_out(_local(remote_path, module.commit), target)
            _submodules(target, module.url, env, depth + 1)
            continue
        place = place_of(module.url)
        remote = Remote(place.url, place.shown, env)
        cached = commit_at(remote, Found(module.commit), module.commit, root)
        _check_out(_of_cache(cached, None, place.url), target)
        _submodules(target, place.url, env, depth + 1)


def _listed(root: Path, url: str) -> list[_Submodule]:
    text = asked(root, "config", "--file", str(root / ".gitmodules"), "--null", "--list")
    sections: dict[str, dict[str, str]] = {}
    for entry in filter(None, text.split("\0")):
        key, _, value = entry.partition("\n")
        name, _, last = key.rpartition(".")
        sections.setdefault(name, {})[last] = value
    paths = {found["path"]: found["url"] for found in sections.values() if {"path", "url"} <= found.keys()}
    if not paths:
        return []
    literal = environment() | {"GIT_LITERAL_PATHSPECS": "1"}
    entries = asked(root, "ls-tree", "-z", "HEAD", "--", *paths, env=literal).split("\0")
    found = re.compile(r"160000 commit ([0-9a-f]+)\t(.*)", re.DOTALL)
    matches = [match for match in map(found.fullmatch, entries) if match and match[2] in paths]
    return [_Submodule(match[2], _absolute(paths[match[2]], url), match[1]) for match in matches]


def _absolute(url: str, parent: str) -> str:
    """Return the URL of a submodule, whose relative form is seen from its parent's."""
    if not url.startswith(("./", "../")):
        return url
    base = parent.rstrip("/")
    while url.startswith(("./", "../")):
        if url.startswith("../"):
            cut = max(base.rfind("/"), base.rfind(":"))
            base = base[: max(cut, 0)] if base[cut : cut + 1] == "/" else base[: cut + 1]
        url = url.partition("/")[2]
    return base + url if base.endswith(":") else f"{base}/{url}"
