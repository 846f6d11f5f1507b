"""Images as environments: got once, run for each job, built with the project in them where that is wanted."""

from __future__ import annotations

import hashlib
import re
import sys
import time
from pathlib import Path
from uuid import uuid4

from attrs import evolve

from mlcore.errors import ProjectError
from mlcore.interfaces import EnvironmentRecord, EnvironmentSpec, ImageSpec, Job
from mlcore.projects.images import DockerProgram, checked_image
from mlcore_env_docker import attended
from mlcore_env_docker.containers import container
from mlcore_env_docker.records import Record, Records

LOCKED = "docker-image @ "
RUN_LABEL = "mlcore.run_id"


class DockerEnvironments:
    """The images that projects run in, by the program `docker`."""

    def __init__(self, root: Path, docker: DockerProgram | None = None) -> None:
        """Remember environments in the directory *root*."""
        self._records = Records(root)
        self._docker = docker or DockerProgram()

    def create(self, spec: EnvironmentSpec) -> str:
        """Have the image, from a registry when the engine lacks it; return the environment's id.

        The same name is another environment once it stands for another image.
        Raises ProjectError: no image is named, or it cannot be had; with the engine's words.
        """
        image = _image(spec)
        name = _pinned(spec) or image.name
        found = self._docker.found(name)
        image_id = found or self._docker.pull(name)
        env_id = _env_id(image, image_id)
        with self._records.turn():
            if env_id not in self._records.ids():
                pin = self._docker.digest(name)
                now_ms = time.time_ns() // 1_000_000
                self._records.write(Record(env_id, image, image_id, pin, now_ms, pulled=found is None))
        return env_id

    def command(self, env_id: str, argv: tuple[str, ...]) -> tuple[str, ...]:
        """Return the argv that runs *argv* in a container without the project, its volumes and variables."""
        record = self._records.find(env_id)
        self._records.touch(env_id)
        return (self._docker.path, "run", "--rm", "--init", record.image_id, *argv)

    def check_job(self, spec: EnvironmentSpec, job: Job) -> None:
        """Look at the image's name, the options and the variables; the engine is not asked.

        Raises ProjectError: one of them is not as it should be.
        """
        container(job, _image(spec), "mlcore")

    def place(self, env_id: str, job: Job) -> Job:
        """Return the job that runs *job* in a container, which ends when whoever runs it ends.

        Raises ProjectError: an option is none, a variable is missing, or the image cannot be built.
        """
        record = self._records.find(env_id)
        placed = container(job, record.image, f"mlcore-{job.run_id[:12]}-{uuid4().hex[:8]}")
        image_id = self._built(record, job) if record.image.build else record.image_id
        self._records.touch(env_id)
        label = f"--label={RUN_LABEL}={job.run_id}"
        docker = (self._docker.path, "run", "--rm", "--init", label, *placed.words, image_id)
        argv = (sys.executable, "-I", "-S", attended.__file__, placed.name, *docker, *placed.argv)
        return evolve(job, argv=argv, env=placed.env, environment=None, inputs=())

    def lock(self, env_id: str) -> tuple[str, ...]:
        """Return one line, which names the image by its digest: as a requirement with `locked`, it is that image again."""
        return (f"{LOCKED}{self._records.find(env_id).pin}",)

    def list(self) -> tuple[str, ...]:
        """Return the ids of all environments, sorted."""
        return self._records.ids()

    def remove(self, env_id: str) -> None:
        """Forget an environment, with the images that were built or fetched for it. Raises NotFoundError: no such one."""
        with self._records.turn():
            record = self._records.find(env_id)
            self._records.delete(env_id)
            shared = record.image_id in {self._records.find(each).image_id for each in self._records.ids()}
        for image in (*record.built, *((record.image.name,) if record.pulled and not shared else ())):
            self._docker.forget(image)

    def describe(self, env_id: str) -> EnvironmentRecord:
        """Return what is known of an environment; its size is 0 when the engine does not tell."""
        record = self._records.find(env_id)
        try:
            size = int(self._docker.inspected(record.image_id, "{{.Size}}"))
        except ProjectError:
            size = 0
        used_ms = max(record.created_ms, self._records.used_ms(env_id))
        return EnvironmentRecord(env_id, record.created_ms, used_ms, size, requirements=(record.image.name,))

    def _built(self, record: Record, job: Job) -> str:
        """Build the image with the project in it, under a name that keeps it until the environment is removed."""
        image_id = self._docker.built(job.directory, record.image_id)
        tag = f"mlcore-project-{_slug(job.name or job.directory.name)}:{image_id.rpartition(':')[2][:12]}"
        self._docker.tag(image_id, tag)
        with self._records.turn():
            kept = self._records.find(record.env_id)
            if tag not in kept.built:
                self._records.write(evolve(kept, built=(*kept.built, tag)))
        return image_id


def _image(spec: EnvironmentSpec) -> ImageSpec:
    if spec.image is None:
        raise ProjectError(
            "the environment manager 'docker' needs an image: name one in the MLproject file, as docker_env: "
            "{image: 'python:3.11-slim'}, or choose another manager by --env-manager"
        )
    checked_image(spec.image.name)
    return spec.image


def _pinned(spec: EnvironmentSpec) -> str | None:
    """Return the image that a lock names."""
    lines = [line.removeprefix(LOCKED) for line in spec.requirements if spec.locked and line.startswith(LOCKED)]
    return lines[0] if lines else None


def _env_id(image: ImageSpec, image_id: str) -> str:
    told = repr((image_id, image.name, image.volumes, image.environment, image.options, image.build))
    name = image.name.partition("@")[0].rpartition("/")[2].partition(":")[0]
    return f"{_slug(name)}-{hashlib.sha256(told.encode()).hexdigest()[:12]}"


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "image"
