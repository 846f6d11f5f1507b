"""What somebody asks for who wants a project to run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import field, frozen

from mlcore.projects.spec import MAIN


@frozen(kw_only=True)
class RunRequest:
    """A project to run, and how.

    version: a branch, tag or commit. parameters: as given, of any type.
    docker_args: options of the container engine's `run`. backend_config: plain JSON values.
    storage_dir: where downloaded inputs are put. run_id: an existing run to record into.
    reuse: whether a finished run of the same may stand for this one; None for steps only.
    timeout_s: how long the command may take, in seconds.
    parent_run_id: the run below which this one is nested.
    lock: exact requirements in place of the project's own. diff: changes to apply to the project's code first.
    reproduces: the run that this one runs again.
    """

    uri: str
    entry_point: str = MAIN
    version: str | None = None
    parameters: Mapping[str, object] = field(factory=dict)
    docker_args: Mapping[str, str | bool] = field(factory=dict)
    experiment_name: str | None = None
    experiment_id: str | None = None
    backend: str = "local"
    backend_config: Mapping[str, object] = field(factory=dict)
    storage_dir: Path | None = None
    run_id: str | None = None
    run_name: str | None = None
    env_manager: str | None = None
    build_image: bool = False
    reuse: bool | None = None
    timeout_s: float | None = None
    parent_run_id: str | None = None
    lock: tuple[str, ...] | None = None
    diff: str = ""
    reproduces: str | None = None
