"""Images that serve one model: a folder with a Dockerfile, the model and its requirements, and the build from it.

Every command, in the Dockerfile and here, is a list of arguments: nothing passes a shell.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path

from attrs import frozen

from mlcore.artifacts.local_files import source_tree
from mlcore.errors import AlreadyExistsError, InvalidParameterError, MissingDependencyError, MlcoreError
from mlcore.models.environment import KERNEL, REQUIREMENTS_FILE, pinned
from mlcore.models.loading import Opened, open_model
from mlcore.plugins import Plugins
from mlcore.serving.container import MODEL_DIR, PORT

ENGINES = ("docker", "podman")
_HOME = "/opt/mlcore"
_IMAGE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._/:@-]*$")
_NAME = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)")
# a line of a requirements file that names a distribution and versions of it; no option, other index, path or URL
_VERSIONS = r"\s*(\(?\s*(===|==|>=|<=|~=|!=|<|>)\s*[A-Za-z0-9.*+!_-]+\s*\)?,?\s*)*"
_PLAIN = re.compile(rf"^[A-Za-z0-9][A-Za-z0-9._-]*\s*(\[[A-Za-z0-9._,\s-]*\])?{_VERSIONS}(;(?!.*--)[^@\\/]*)?$")


@frozen(kw_only=True)
class ImageOptions:
    """How an image is made.

    base: image with python and pip on PATH; Python's own slim one, of the version that saved the model, when not given.
    wheels: directory with wheels to install from, besides the index; they get into the image.
    trust: whether the model's code may run in the image, and whether its requirements may name other places than
    the index: options, URLs, paths.
    """

    base: str | None = None
    wheels: str | PathLike[str] | None = None
    trust: bool = False


def write_context(
    model_uri: str | PathLike[str],
    directory: str | PathLike[str],
    options: ImageOptions | None = None,
    *,
    plugins: Plugins | None = None,
) -> Path:
    """Write what an image of the model at *model_uri* is built from into the new *directory*; return its Dockerfile.

    Raises UntrustedModelError: the model brings code, and could not be loaded in the image without trust.
    AlreadyExistsError: *directory* is there and not empty. ChecksumError, ModelFormatError: as `load_model`.
    InvalidParameterError: a requirement or the name of the base image is none.
    """
    wanted = options or ImageOptions()
    context = Path(directory)
    if context.exists() and (not context.is_dir() or any(context.iterdir())):
        raise AlreadyExistsError(f"{str(directory)!r} is there already: name a new directory, or remove it first")
    opened = open_model(model_uri, trust=wanted.trust, plugins=plugins)
    try:
        opened.require_trust()
        lines = _requirements(opened, trust=opened.trusted)
        text = _dockerfile(opened, wanted)
        source_tree(opened.local.path)  # refuses links that lead out of the model, to files of this machine
        context.mkdir(parents=True, exist_ok=True)
        shutil.copytree(opened.local.path, context / "model")
    finally:
        opened.local.discard()
    (context / REQUIREMENTS_FILE).write_text("".join(f"{line}\n" for line in lines), "utf-8")
    if wanted.wheels is not None:
        _copy_wheels(Path(wanted.wheels), context / "wheels")
    (context / "Dockerfile").write_text(text, "utf-8")
    return context / "Dockerfile"


def build(context: str | PathLike[str], tag: str, *, engine: str = "docker", arguments: Sequence[str] = ()) -> None:
    """Build the image *tag* from what `write_context` wrote; the engine's messages go to standard error.

    engine: `docker` or `podman`. arguments: further ones of its `build`.
    Raises MissingDependencyError: the engine is not installed. MlcoreError: the build failed.
    """
    if not _IMAGE.match(tag):
        raise InvalidParameterError(f"invalid name of an image {tag!r}: expected one such as 'wine:1'")
    program = shutil.which(engine)
    if program is None:
        raise MissingDependencyError(
            f"building an image needs the program {engine!r} on PATH; without it, write the context only: "
            "mlcore models build-image URI --no-build --context DIRECTORY"
        )
    command = [program, "build", *arguments, "--tag", tag, fspath(context)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:  # noqa: S603  # an argument list of our own
        said = _passed_on(process)
    if process.returncode:
        raise MlcoreError(f"{engine} could not build {tag!r} (exit code {process.returncode}): {said}")


def _passed_on(process: subprocess.Popen[str]) -> str:
    """Show the lines of a process as they come; return the last one with words."""
    import sys

    last = ""
    for line in process.stdout or ():
        sys.stderr.write(line)
        last = line.strip() or last
    return last


def _requirements(opened: Opened, *, trust: bool) -> list[str]:
    """The model's own, and what serves it: the kernel with its server, and the plugins of the flavors."""
    path = opened.local.path / REQUIREMENTS_FILE
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    found = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    for line in found:
        if not trust and not _PLAIN.match(line):
            raise InvalidParameterError(
                f"the model at {opened.where!r} has the requirement {line!r}, which names another place than the index: "
                "if you trust whoever wrote it, pass trust=True, or --trust"
            )
    names = {_normal(match[1]) for line in found if (match := _NAME.match(line))}
    entries = [opened.plugins.entry("flavor", name) for name in opened.model.flavors]
    kernel = next((line for line in found if _normal_name(line) == KERNEL), pinned(KERNEL))
    rest_of_kernel = kernel[len(KERNEL) :].lstrip()
    extras = f"[serve,{rest_of_kernel[1:]}" if rest_of_kernel.startswith("[") else f"[serve]{rest_of_kernel}"
    rest = [line for line in found if _normal_name(line) != KERNEL]
    return [KERNEL + extras, *rest, *(pinned(e.dist) for e in entries if e and _normal(e.dist) not in names)]


def _normal_name(line: str) -> str:
    match = _NAME.match(line)
    return _normal(match[1]) if match else ""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _dockerfile(opened: Opened, wanted: ImageOptions) -> str:
    version = opened.model.pyfunc.get("python_version")
    found = re.match(r"^(3\.\d+)", version) if isinstance(version, str) else None
    base = wanted.base or f"python:{found[1] if found else '3.11'}-slim"
    if not _IMAGE.match(base):
        raise InvalidParameterError(f"invalid name of a base image {base!r}: expected one such as 'python:3.11-slim'")
    links = ["--find-links", f"{_HOME}/wheels"] if wanted.wheels is not None else []
    install = ["python", "-m", "pip", "install", "--no-cache-dir", *links, "-r", f"{_HOME}/{REQUIREMENTS_FILE}"]
    variables: Mapping[str, str] = {
        "PYTHONUNBUFFERED": "1",
        "HOME": "/tmp",  # noqa: S108  # of the container; libraries put their caches there
        **({"MLCORE_TRUST_MODELS": MODEL_DIR} if opened.trusted else {}),
    }
    return "\n".join(
        [
            f"FROM {base}",
            f"COPY {json.dumps([REQUIREMENTS_FILE, f'{_HOME}/'])}",
            *([f"COPY {json.dumps(['wheels', f'{_HOME}/wheels'])}"] if links else []),
            f"RUN {json.dumps(install)}",
            f"COPY {json.dumps(['model', MODEL_DIR])}",
            *(f"ENV {name}={value}" for name, value in variables.items()),
            f"EXPOSE {PORT}",
            "LABEL com.amazonaws.sagemaker.capabilities.accept-bind-to-port=true",
            "USER 1000:1000",
            # no shell in between: SIGTERM has to reach the server
            f"ENTRYPOINT {json.dumps(['python', '-m', 'mlcore.serving.container'])}",
            f"CMD {json.dumps(['serve'])}",
            "",
        ]
    )


def _copy_wheels(source: Path, target: Path) -> None:
    wheels = sorted(source.glob("*.whl"))
    if not wheels:
        raise InvalidParameterError(f"there are no wheels in {str(source)!r}: expected a directory with files *.whl")
    target.mkdir()
    for wheel in wheels:
        shutil.copyfile(wheel, target / wheel.name)
