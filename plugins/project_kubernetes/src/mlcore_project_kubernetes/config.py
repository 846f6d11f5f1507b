"""What a user says about the cluster: the backend configuration, with MLflow's keys and a few more."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from mlcore.errors import ProjectError
from mlcore.projects.images import checked_image, repository_of

_KEYS = {
    "kube-context": "context",
    "kube-job-template-path": "template",
    "repository-uri": "repository",
    "namespace": "namespace",
    "image": "image",
}


@frozen
class Config:
    """Where and how jobs run.

    context: of the kubeconfig, by default the current one. template: file of the job's manifest. repository: where the
    image with the project goes. image: one that has the project in it already; nothing is built then.
    namespace: in place of the template's and the context's.
    """

    context: str | None = None
    template: str | None = None
    repository: str | None = None
    namespace: str | None = None
    image: str | None = None


def config_of(given: Mapping[str, object]) -> Config:
    """Read a backend configuration. Raises ProjectError: all that is wrong with it, at once."""
    faults, values = [], {}
    for key, value in given.items():
        if key not in _KEYS:
            near = difflib.get_close_matches(key, _KEYS, 1)
            hint = f", did you mean {near[0]!r}?" if near else f" (known: {', '.join(_KEYS)})"
            faults.append(f"unknown key {key!r}{hint}")
        elif value is not None and (not isinstance(value, str) or not value):
            faults.append(f"{key}: expected a text, got {value!r}")
        else:
            values[_KEYS[key]] = value
    config = Config(**values)
    for key, name in (("repository-uri", config.repository), ("image", config.image)):
        if isinstance(name, str):
            try:
                checked_image(name)
            except ProjectError as err:
                faults.append(f"{key}: {err}")
    if config.repository and not faults and repository_of(config.repository) != config.repository:
        faults.append(f"repository-uri: expected a name without tag or digest, got {config.repository!r}")
    if faults:
        raise ProjectError("the backend configuration of 'kubernetes' is not right: " + "; ".join(faults))
    return config


def template_path(config: Config, directory: Path) -> Path | None:
    """Return the template's file: as the path says, in the project's directory or in the working directory."""
    if config.template is None:
        return None
    path = Path(config.template).expanduser()
    places = [path] if path.is_absolute() else [directory / path, Path.cwd() / path]
    for each in places:
        if each.is_file():
            return each
    looked = " or ".join(repr(str(each)) for each in places)
    raise ProjectError(f"kube-job-template-path: no file {looked}; expected the manifest of a Kubernetes Job, in YAML")
