"""A run of a project that was made ready: everything that somebody needs who attends it, in this process or another."""

from __future__ import annotations

import json
import os
from pathlib import Path

from attrs import asdict, field, frozen

from mlcore.interfaces import EnvironmentSpec, ImageSpec, Job


@frozen
class Plan:
    """A run that exists, and the command that it stands for.

    entry_point: its name.
    manager: of environments. environment: what the command needs.
    temporary: directories to delete when the run has ended.
    diff: changes of the code that no commit has.
    fingerprint: of what the run is made from; empty where nobody may take it again.
    reused: the run is one that has ended before, and nothing is to be done.
    """

    run_id: str
    experiment_id: str
    entry_point: str
    backend: str
    job: Job
    manager: str = "local"
    environment: EnvironmentSpec = field(factory=EnvironmentSpec)
    temporary: tuple[Path, ...] = ()
    timeout_s: float | None = None
    diff: str = ""
    fingerprint: str = ""
    reused: bool = False

    def to_text(self) -> str:
        """Return the plan as JSON, for another process."""
        return json.dumps(asdict(self, value_serializer=lambda _, __, value: _plain(value)))

    @classmethod
    def of_text(cls, text: str) -> Plan:
        """Read what `to_text` has written."""
        found = json.loads(text)
        environment = _environment(found.pop("environment"))
        temporary = tuple(map(Path, found.pop("temporary")))
        job = _job(found.pop("job"), environment)
        return cls(**found, job=job, environment=environment, temporary=temporary)


def _job(found: dict[str, object], environment: EnvironmentSpec) -> Job:
    paths = {"directory": Path(str(found.pop("directory"))), "inputs": tuple(map(Path, found.pop("inputs")))}  # type: ignore[call-overload]  # a list
    own = environment if found.pop("environment") is not None else None
    config = found.pop("config")
    return Job(**{**_frozen(found), **paths, "config": config}, environment=own)  # type: ignore[arg-type]  # as above


def _plain(value: object) -> object:
    return os.fspath(value) if isinstance(value, Path) else value


# By hand: the converter of `mlcore.wire` costs as much to start as the rest of the process that attends the run.
def _environment(found: dict[str, object]) -> EnvironmentSpec:
    image, source = found.pop("image"), found.pop("source")
    return EnvironmentSpec(
        **_frozen(found),  # type: ignore[arg-type]  # as `to_text` wrote them
        source=Path(str(source)) if source else None,
        image=ImageSpec(**_frozen(image)) if isinstance(image, dict) else None,  # type: ignore[arg-type]  # as above
    )


def _frozen(found: dict[str, object]) -> dict[str, object]:
    return {key: _tuple(value) for key, value in found.items()}


def _tuple(value: object) -> object:
    return tuple(_tuple(each) for each in value) if isinstance(value, list) else value
