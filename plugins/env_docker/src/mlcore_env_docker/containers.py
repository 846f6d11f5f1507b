"""The words of `docker run` for a job: what is mounted, which variables and options it gets, which network."""

from __future__ import annotations

import csv
import io
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from attrs import frozen

from mlcore.errors import ProjectError
from mlcore.interfaces import ImageSpec, Job
from mlcore.projects.images import CODE, words_inside
from mlcore.projects.reach import is_here

_OPTION = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_VARIABLE = re.compile(r"[^=\0]+")
_REFUSED = ("d", "detach", "rm", "cidfile", "sig-proxy")
_URIS = ("MLFLOW_TRACKING_URI", "MLCORE_TRACKING_URI", "MLFLOW_REGISTRY_URI", "MLCORE_REGISTRY_URI")
_GATEWAY = "host.docker.internal"
# of this machine; the image has its own
_OWN = ("PATH", "HOME", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH")
_HOST_USER = "host"


@frozen
class Container:
    """How a job's container is run.

    name: of the container. words: those of `docker run` before the image. argv: those after it. env: for the client,
    which passes on those that are named in *words*.
    """

    name: str
    words: tuple[str, ...]
    argv: tuple[str, ...]
    env: Mapping[str, str]


def container(job: Job, image: ImageSpec, name: str, environ: Mapping[str, str] = os.environ) -> Container:
    """Describe the container of a job.

    name: of the container unless the options have one. environ: of this machine, for variables to copy.
    Raises ProjectError: an option cannot be had, or variables are missing.
    """
    options = dict(image.options)
    own = options.pop("name", name)
    env, network = _reachable(job.env, options)
    words = [*_user(options), *network, *_variables(image, env, environ), *_options(options)]
    words += [f"--volume={_volume(each, job.directory)}" for each in image.volumes]
    mounts = {} if image.build else {CODE: job.directory}
    mounts |= {str(path): path for path in (*_stores(env), *_outside(job))}
    words += [f"--mount={_mount(target, source)}" for target, source in mounts.items()]
    return Container(str(own), (f"--name={own}", f"--workdir={CODE}", *words), words_inside(job), env)


def _options(options: Mapping[str, str | bool]) -> Iterator[str]:
    for name, value in options.items():
        if not _OPTION.fullmatch(name) or name in _REFUSED:
            raise ProjectError(
                f"invalid option {name!r} for containers: expected one of `docker run` without dashes, such as gpus=all, "
                f"and none of {', '.join(_REFUSED)}"
            )
        if len(name) == 1:
            yield from (f"-{name}",) if value is True else (f"-{name}", str(value))
        elif value is not False:
            yield f"--{name}" if value is True else f"--{name}={value}"


def _user(options: dict[str, str | bool]) -> tuple[str, ...]:
    """Take `user=host` out of the options: files that the container writes belong to the caller then."""
    if options.get("user") != _HOST_USER:
        return ()
    del options["user"]
    if not hasattr(os, "getuid"):  # pragma: no cover
        return ()
    return (f"--user={os.getuid()}:{os.getgid()}", "--env=HOME=/tmp")


def _variables(image: ImageSpec, env: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[str]:
    """Name variables by whose values the client knows, so that no secret is among the words that `ps` shows."""
    missing = [name for name, value in image.environment if value is None and name not in env and name not in environ]
    if missing:
        raise ProjectError(
            f"the project copies variables from this machine that are not set: {', '.join(map(repr, missing))}; "
            "set them, or give them values in docker_env.environment"
        )
    for name, value in image.environment:
        if not _VARIABLE.fullmatch(name):
            raise ProjectError(f"invalid name of a variable {name!r} in docker_env.environment")
        yield f"--env={name}" if value is None else f"--env={name}={value}"
    yield from (f"--env={name}" for name in env if name not in _OWN)


def _reachable(env: Mapping[str, str], options: Mapping[str, object]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Let the container reach a server on this machine: by its network, or where that is not to be had, by a name."""
    local = [name for name in _URIS if (host := _host(env.get(name, ""))) and is_here(host)]
    if not local or "network" in options or "net" in options:
        return dict(env), ()
    if sys.platform == "linux":
        return dict(env), ("--network=host",)
    moved = {name: _moved(env[name]) for name in local}  # pragma: no cover
    return {**env, **moved}, (f"--add-host={_GATEWAY}:host-gateway",)  # pragma: no cover


def _host(uri: str) -> str:
    try:
        found = urlsplit(uri)
    except ValueError:
        return ""
    return (found.hostname or "") if found.scheme in ("http", "https") else ""


def _moved(uri: str) -> str:  # pragma: no cover
    found = urlsplit(uri)
    credentials, at, _ = found.netloc.rpartition("@")
    port = f":{found.port}" if found.port else ""
    return found._replace(netloc=f"{credentials}{at}{_GATEWAY}{port}").geturl()


def _stores(env: Mapping[str, str]) -> Iterator[Path]:
    """Yield directories of local stores: at the same place in the container, so that URIs of artifacts hold.

    And that of what could not be delivered, which is to outlive the container.
    """
    spool = Path(env.get("MLCORE_SPOOL_DIR", ""))
    if spool.is_absolute() and spool.is_dir():
        yield spool
    for name in _URIS:
        uri = env.get(name, "")
        scheme, _, rest = uri.partition(":")
        if scheme == "sqlite" and rest.startswith("////"):
            yield Path(unquote(rest[3:].partition("?")[0])).parent
        elif scheme == "file":
            yield Path(unquote(urlsplit(uri).path))
        elif uri.startswith("/"):
            yield Path(uri)


def _outside(job: Job) -> Iterator[Path]:
    return (path for path in job.inputs if not path.is_relative_to(job.directory))


def _volume(text: str, directory: Path) -> str:
    """Make the machine's side absolute; the name of a volume stays as it is."""
    host, colon, rest = text.partition(":")
    if host.startswith("~"):
        host = str(Path(host).expanduser())
    elif host.startswith("."):
        host = os.path.normpath(directory / host)
    return f"{host}{colon}{rest}"


def _mount(target: str, source: Path) -> str:
    """Write a mount as the one line of CSV that the client wants, whatever is in the paths."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(["type=bind", f"source={source}", f"target={target}"])
    return line.getvalue()
