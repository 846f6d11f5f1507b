"""The manifest of a job: the user's template, in which name, image, command and variables are filled."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from attrs import frozen

from mlcore.errors import ProjectError
from mlcore.interfaces import ImageSpec, Job
from mlcore.projects.images import CODE, words_inside
from mlcore.wire.yaml_text import load_yaml
from mlcore_project_kubernetes.plain import rows, table

RUN_ID = "mlcore/run-id"
SUBMISSION = "mlcore/submission"
OUTCOME = "mlcore/outcome"
REASON = "mlcore/reason"
_NAME_CHARS = 40
# of this machine; the image has its own
_OWN = ("PATH", "HOME", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH")
_DEFAULT: Mapping[str, object] = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "spec": {"template": {"spec": {"containers": [{}]}}},
}


@frozen
class Filled:
    """A manifest that can be sent, with the marks by which it is known again."""

    name: str
    namespace: str
    submission: str
    body: Mapping[str, object]


def template_of(path: Path | None) -> Mapping[str, object]:
    """Read a template, by default one with nothing special. Raises ProjectError: it is no Job; with all that is wrong."""
    if path is None:
        return _DEFAULT
    read = load_yaml(path.read_text("utf-8"), f"the job template {str(path)!r}")
    faults = []
    if table(read).get("kind") != "Job":
        faults.append(f"kind: expected 'Job', got {table(read).get('kind')!r}")
    if table(read).get("apiVersion") != "batch/v1":
        faults.append(f"apiVersion: expected 'batch/v1', got {table(read).get('apiVersion')!r}")
    if not rows(read, "spec", "template", "spec", "containers"):
        faults.append("spec.template.spec.containers: expected one container at least")
    if faults:
        raise ProjectError(f"the job template {str(path)!r} is none: " + "; ".join(faults))
    return table(read)


def filled(template: Mapping[str, object], job: Job, image: str, namespace: str, *, built: bool) -> Filled:
    """Fill a template for a job.

    built: the image is the project's own, with the code at `CODE`. What the template says otherwise stays: resources,
    volumes, service accounts, variables that the job does not set.
    """
    body = _copied(template)
    metadata, spec = _child(body, "metadata"), _child(body, "spec")
    pod = _child(_child(spec, "template"), "spec")
    name = f"{_slug(job.name or job.directory.name)}-{job.run_id[:8]}-{uuid4().hex[:6]}"
    submission = uuid4().hex
    metadata.pop("generateName", None)
    metadata.update(name=name, namespace=namespace)
    _child(metadata, "labels")[RUN_ID] = job.run_id
    _child(metadata, "annotations")[SUBMISSION] = submission
    spec.setdefault("backoffLimit", 0)  # a failed training is no reason to train six times more
    pod.setdefault("restartPolicy", "Never")
    containers = pod["containers"]
    container = containers[0] if isinstance(containers, list) else {}
    container.setdefault("name", "project")
    container.pop("args", None)
    container.update(image=image, command=[_literal(word) for word in words_inside(job)])
    if built:
        container.setdefault("workingDir", CODE)
    container["env"] = _variables(container, job)
    return Filled(name, namespace, submission, body)


def refuse_what_stays_here(job: Job, template: Mapping[str, object]) -> None:
    """Refuse what only this machine has. Raises ProjectError: volumes, options of `docker run`, or local files."""
    image = (job.environment.image if job.environment else None) or ImageSpec("none")
    faults = []
    if image.volumes and not rows(template, "spec", "template", "spec", "volumes"):
        faults.append("docker_env.volumes are paths of one machine: put the cluster's volumes into the job template")
    if image.options:
        named = ", ".join(name for name, _ in image.options)
        faults.append(f"options of `docker run` ({named}) are not Kubernetes': put their like into the job template")
    outside = [str(path) for path in job.inputs if not path.is_relative_to(job.directory)]
    if outside:
        faults.append(
            f"the cluster does not have the files {', '.join(map(repr, outside))}: keep them in the project, or declare "
            "the parameters as uri and read them in the code"
        )
    if faults:
        raise ProjectError("the project cannot run on 'kubernetes' as asked: " + "; ".join(faults))


def _variables(container: Mapping[str, object], job: Job) -> list[Mapping[str, object]]:
    """Return the template's variables, and the job's in place of those of the same name."""
    image = job.environment.image if job.environment else None
    declared = dict(image.environment) if image else {}
    missing = [name for name, value in declared.items() if value is None and name not in {**os.environ, **job.env}]
    if missing:
        raise ProjectError(
            f"the project copies variables from this machine that are not set: {', '.join(map(repr, missing))}; "
            "set them, or give them values in docker_env.environment"
        )
    given = {name: os.environ.get(name, "") if value is None else value for name, value in declared.items()}
    given |= {name: value for name, value in job.env.items() if name not in _OWN}
    kept = [each for each in rows(container, "env") if each.get("name") not in given]
    return [*kept, *({"name": name, "value": _literal(value)} for name, value in given.items())]


def _literal(word: str) -> str:
    """Keep Kubernetes from putting variables in place of `$(NAME)`: two `$` stand for one."""
    return word.replace("$", "$$")


def _child(parent: dict[str, object], name: str) -> dict[str, object]:
    found = parent.get(name)
    if not isinstance(found, dict):
        found = parent[name] = {}
    return found


def _copied(template: Mapping[str, object]) -> dict[str, object]:
    return copy.deepcopy(dict(template))


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_NAME_CHARS].strip("-") or "project"
