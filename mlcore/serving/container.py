"""What runs inside of a serving image: `python -m mlcore.serving.container serve`.

It keeps SageMaker's contract for containers, which is good for any other engine: `serve` is the argument, the model is under `/opt/ml/model`; `/ping` and `/invocations` answer on
port 8080; SIGTERM ends the server after the requests that it has.

Variables: SAGEMAKER_BIND_TO_PORT, MLCORE_MODEL_DIR (another place of the model), MLCORE_SERVING_WORKERS,
MLCORE_SERVING_TIMEOUT (seconds for an answer), MLCORE_TRUST_MODELS (places whose models may run code),
MLCORE_MODEL_PUBLIC_KEY (of whom a signature is demanded).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mlcore.errors import InvalidParameterError, MlcoreError

if TYPE_CHECKING:
    from starlette.applications import Starlette

MODEL_DIR = "/opt/ml/model"
PORT = 8080
MAX_BODY_BYTES = 100 << 20  # of one record of a batch transform; requests to endpoints are smaller


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Do what the container is told; return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given != ["serve"]:
        print(f"error: this image serves models: expected the argument 'serve', got {given!r}", file=sys.stderr)
        return 2
    try:
        return serve(environ)
    except MlcoreError as err:
        print(f"error: {err.message}", file=sys.stderr)
        return 1


def serve(environ: Mapping[str, str]) -> int:
    """Serve the model until SIGTERM; return the exit code."""
    from mlcore.models.pyfunc import load_model
    from mlcore.models.trust import is_trusted
    from mlcore.serving.app import Limits, create_app
    from mlcore.serving.server import Address, run_server

    directory = environ.get("MLCORE_MODEL_DIR") or MODEL_DIR
    timeout = _number(environ, "MLCORE_SERVING_TIMEOUT", 60)
    # the program of a container is its process 1: it has to answer SIGTERM itself, which run_server does
    trusted = is_trusted(directory, [each for each in environ.get("MLCORE_TRUST_MODELS", "").split(",") if each])

    def make_app() -> Starlette:
        return create_app(load_model(directory, trust=trusted), Limits(MAX_BODY_BYTES, timeout))

    address = Address(environ.get("MLCORE_SERVING_HOST") or "0.0.0.0", _number(environ, "SAGEMAKER_BIND_TO_PORT", PORT))  # noqa: S104  # SageMaker connects from outside of the container
    workers = _number(environ, "MLCORE_SERVING_WORKERS", 1)
    return run_server(make_app, address, workers=workers, announce=lambda url: print(f"ready: {url}", flush=True))


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isdigit():
        raise InvalidParameterError(f"the variable {name} is {text!r}: expected a whole number")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
