"""A process that makes an environment: `python -m mlcore.testing.environment_worker MODULE NAME SPEC`.

MODULE has the hook `environment`, which opens NAME; SPEC is a JSON object as `spec_text` writes it. It says `ready`, waits
for a line, makes the environment, and says its id.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence

from mlcore.interfaces import EnvironmentManager, EnvironmentSpec, ImageSpec
from mlcore.testing.processes import say


def spec_text(spec: EnvironmentSpec) -> str:
    """Return what a worker makes a specification from; of an image its name and variables."""
    return json.dumps(
        {
            "python": spec.python,
            "requirements": spec.requirements,
            "build_requirements": spec.build_requirements,
            "conda_packages": spec.conda_packages,
            "channels": spec.channels,
            "image": [spec.image.name, spec.image.environment] if spec.image else None,
        }
    )


def main(arguments: Sequence[str]) -> None:
    """Do what the module's text says."""
    module, name, text = arguments
    given = json.loads(text)
    spec = EnvironmentSpec(
        python=given["python"],
        requirements=tuple(given["requirements"]),
        build_requirements=tuple(given["build_requirements"]),
        conda_packages=tuple(given["conda_packages"]),
        channels=tuple(given["channels"]),
        image=_image(*given["image"]) if given["image"] else None,
    )
    manager: EnvironmentManager = importlib.import_module(module).environment(name=name)
    say("ready")
    sys.stdin.readline()
    say(manager.create(spec))


def _image(name: str, environment: Sequence[Sequence[str]]) -> ImageSpec:
    return ImageSpec(name, environment=tuple((variable, value) for variable, value in environment))


if __name__ == "__main__":
    main(sys.argv[1:])
