"""What somebody asks for who wants a project to run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from pathlib import Path

from attrs import Attribute, field, frozen

from mlcore.errors import ProjectError
from mlcore.projects.spec import MAIN


def _text(_: object, attribute: Attribute[str], value: object) -> None:
    if not isinstance(value, str):
        raise ProjectError(f"{attribute.name} is {value!r}; expected a text")


def _text_or_none(_: object, attribute: Attribute[str | None], value: object) -> None:
    if value is not None:
        _text(_, attribute, value)  # type: ignore[arg-type]  # only its name is used


def _named(_: object, attribute: Attribute[Mapping[str, object]], value: object) -> None:
    if not isinstance(value, Mapping):
        raise ProjectError(f"{attribute.name} is {value!r}; expected a mapping of names to values, as {{'rate': 0.1}}")
    for name in value:
        if not isinstance(name, str) or not name:
            raise ProjectError(f"{attribute.name} has the name {name!r}; expected a text that is not empty")


def _seconds(_: object, attribute: Attribute[float | None], value: object) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value) or value <= 0:
        raise ProjectError(f"{attribute.name} is {value!r}; expected a number of seconds above 0, or None for no limit")


@frozen(kw_only=True)
class RunRequest:
    """A project to run, and how. Raises ProjectError: a value is not of its type.

    version: a branch, tag or commit. parameters: as given, of any type.
    docker_args: options of the container engine's `run`. backend_config: plain JSON values.
    storage_dir: where downloaded inputs are put. run_id: an existing run to record into.
    reuse: whether a finished run of the same may stand for this one; None for steps only.
    timeout_s: how long the command may take, in seconds.
    parent_run_id: the run below which this one is nested.
    lock: exact requirements in place of the project's own. diff: changes to apply to the project's code first.
    reproduces: the run that this one runs again.
    """

    uri: str = field(validator=_text)
    entry_point: str = field(default=MAIN, validator=_text)
    version: str | None = field(default=None, validator=_text_or_none)
    parameters: Mapping[str, object] = field(factory=dict, validator=_named)
    docker_args: Mapping[str, str | bool] = field(factory=dict, validator=_named)
    experiment_name: str | None = None
    experiment_id: str | None = None
    backend: str = field(default="local", validator=_text)
    backend_config: Mapping[str, object] = field(factory=dict, validator=_named)
    storage_dir: Path | None = None
    run_id: str | None = field(default=None, validator=_text_or_none)
    run_name: str | None = field(default=None, validator=_text_or_none)
    env_manager: str | None = field(default=None, validator=_text_or_none)
    build_image: bool = False
    reuse: bool | None = None
    timeout_s: float | None = field(default=None, validator=_seconds)
    parent_run_id: str | None = None
    lock: tuple[str, ...] | None = None
    diff: str = ""
    reproduces: str | None = None
