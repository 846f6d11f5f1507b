"""Serve a model here as the endpoint's container would: the same program as a process, or the image itself."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from mlcore.errors import InvalidParameterError, MissingDependencyError
from mlcore.models.places import fetched
from mlcore.serving.container import MODEL_DIR, PORT
from mlcore_deploy_sagemaker.archive import flavor_of
from mlcore_deploy_sagemaker.faults import DeploymentFailedError
from mlcore_deploy_sagemaker.options import Options
from mlcore_deploy_sagemaker.place import IMAGE_VARIABLES
from mlcore_deploy_sagemaker.waiting import logger

_STOP_S = 15.0


def run(name: str, model_uri: str, flavor: str | None, options: Options) -> None:
    """Serve until interrupted. Raises DeploymentFailedError: the container ended by itself, with an error."""
    with fetched(model_uri) as directory:
        chosen = flavor_of(directory, model_uri, flavor)
        where = str(directory.absolute())
        variables = {"MLFLOW_DEPLOYMENT_FLAVOR_NAME": chosen, **(options.env or {})}
        if options.docker:
            if options.trust:
                variables["MLCORE_TRUST_MODELS"] = MODEL_DIR
            command, environ = _docker(name, where, variables, options), None
        else:
            local = {"MLCORE_MODEL_DIR": where, "SAGEMAKER_BIND_TO_PORT": str(options.port)}
            if options.trust:
                local["MLCORE_TRUST_MODELS"] = where
            command = [sys.executable, "-m", "mlcore.serving.container", "serve"]
            environ = {**os.environ, "MLCORE_SERVING_HOST": "127.0.0.1", **variables, **local}
        logger.info("deployment %r serves %s at http://127.0.0.1:%d until Ctrl-C", name, model_uri, options.port)
        _serve(name, command, environ)


def _docker(name: str, directory: str, variables: dict[str, str], options: Options) -> list[str]:
    docker = shutil.which("docker")
    image = options.image_url or next((os.environ[key] for key in IMAGE_VARIABLES if os.environ.get(key)), None)
    if docker is None:
        raise MissingDependencyError("run-local with docker=true needs the program docker on PATH; or leave docker out")
    if image is None:
        raise InvalidParameterError("run-local with docker=true needs image_url, the image to run")
    env = [item for key, value in variables.items() for item in ("-e", f"{key}={value}")]
    mounts = ["-v", f"{directory}:{MODEL_DIR}:ro", "-p", f"127.0.0.1:{options.port}:{PORT}"]
    return [docker, "run", "--rm", "--init", "--name", f"mlcore-{name}", *mounts, *env, image, "serve"]


def _serve(name: str, command: list[str], environ: dict[str, str] | None) -> None:
    with _interrupted_by_sigterm():
        process = subprocess.Popen(command, env=environ)  # noqa: S603  # an argument list of our own
        try:
            code = process.wait()
        except KeyboardInterrupt:
            code = 0
        finally:
            _end(process)
    if code:
        raise DeploymentFailedError(f"the container of {name!r} ended with code {code}; see its messages above")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """Let SIGTERM do what Control-C does: the container would go on without the program that started it."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's alone
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
