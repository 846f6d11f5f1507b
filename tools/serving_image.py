"""Gather what SageMaker's serving image is built and judged with: Debian, wheels, and the SDK in its own environment.

`make engine` does it ahead, all side by side; tests do what is still missing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import docker_engine
from venvs import CACHE, ROOT, create, install, run

HOME = CACHE / "docker"
IMAGE = ROOT / "plugins" / "deploy_sagemaker" / "image"
SDK = "sagemaker[local]>=2.257,<3"
_SOURCES = (ROOT, ROOT / "plugins" / "deploy_sagemaker", ROOT / "plugins" / "flavor_sklearn")


def main() -> None:
    """Make what is missing, unless there is no engine to use it."""
    if not docker_engine.present():
        print(f"no Docker Engine answers, and none can be started; to have one, {docker_engine.INSTALL}")
        return
    with docker_engine.turn(HOME), tempfile.TemporaryDirectory(prefix="mlcore-wheels-") as own:
        prepare(Path(own))
    print(f"what the tests of the serving image need is in {HOME}")


def prepare(own: Path) -> list[Path]:
    """Make what is missing, all side by side: each takes a minute of waiting.

    own: gets the checkout's wheels. Returns the folders of wheels for the image, *own* included.
    """
    HOME.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(3) as pool:
        wheels = pool.submit(lambda: fetched_wheels(built_wheels(own)))
        others = [pool.submit(sdk_python)]
        if not docker_engine.answering():
            others.append(pool.submit(docker_engine.debian, HOME))
        for task in others:
            task.result()
        return [own, wheels.result()]


def built_wheels(folder: Path) -> Path:
    """Build the wheels of the checkout that are in the image; return *folder*, where they are."""
    for source in _SOURCES:
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
        run(command, cwd=source, env={**os.environ, "HATCH_QUIET": "2"})
    return folder


def fetched_wheels(own: Path) -> Path:
    """Return the folder of wheels that those in *own* need, fetched once for what they ask for."""
    learn = f"scikit-learn=={version('scikit-learn')}"  # a model is loaded by what has saved it
    asked = "".join((folder / "pyproject.toml").read_text("utf-8") for folder in _SOURCES) + learn
    wheels = HOME / f"wheels-{hashlib.sha256(asked.encode()).hexdigest()[:12]}"
    if not wheels.exists():
        for old in HOME.glob("wheels-*"):
            shutil.rmtree(old)
        half = wheels.with_suffix(".part")
        # the files are named, so that no index is asked for a distribution of ours
        named = sorted(path.as_uri() for path in own.glob("*.whl"))
        named += [f"mlcore-kernel[serve] @ {uri}" for uri in named if "/mlcore_kernel-" in uri]
        options = ["--quiet", "--only-binary", ":all:", "--python-version", docker_engine.PYTHON, "--dest", str(half)]
        run([sys.executable, "-m", "pip", "download", *options, *named, learn])
        for path in half.glob("mlcore_*"):
            path.unlink()
        half.rename(wheels)
    return wheels


def sdk_python() -> Path:
    """Return the Python of an environment with the SageMaker SDK, made at the first need."""
    home = HOME / "sagemaker-sdk"
    python = create(home)
    if not list(home.glob("lib/*/site-packages/sagemaker-2.*.dist-info")):
        install(python, [SDK])
    return python


if __name__ == "__main__":
    main()
