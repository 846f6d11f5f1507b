"""Take the finished run of a step in place of a new one, when all that it was made from is the same.

What a run has made is noted when it ends, so that a run whose artifacts somebody changed or deleted does not count.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlcore.entities import Run
from mlcore.errors import MlcoreError

if TYPE_CHECKING:
    from mlcore.settings import Settings
    from mlcore.tracking.client import Client

FINGERPRINT = "mlcore.project.fingerprint"
OUTPUTS = "mlcore.project.outputs"  # digest of the artifacts that the run had when it ended
REUSED = (
    "mlcore.project.reused."  # of a parent: followed by the id of the run that it reused; the value is the entry point
)
VARIABLE = "MLCORE_REUSE_STEPS"

_LOOKED_AT = 20  # runs with the same fingerprint; whoever deletes artifacts does it to more than one


def is_wanted(asked: bool | None, *, is_step: bool, settings: Settings) -> bool:
    """Whether a finished run may stand for a new one: as asked, else for steps, as the setting `reuse_steps` says."""
    return (is_step and settings.reuse_steps) if asked is None else asked


def finished(client: Client, experiment_id: str, fingerprint: str) -> Run | None:
    """Return the newest finished run with the fingerprint whose artifacts are as they were at its end.

    None where there is none, and for an empty fingerprint.
    """
    if not fingerprint:
        return None
    found = client.search_runs(
        [experiment_id],
        f"tags.`{FINGERPRINT}` = '{fingerprint}' AND attributes.status = 'FINISHED'",
        order_by=["attributes.start_time DESC"],
        max_results=_LOOKED_AT,
    )
    return next((run for run in found if _is_whole(client, run)), None)


def note_outputs(client: Client, run_id: str) -> None:
    """Note what artifacts a run has that ends; to be called once it has recorded them all."""
    client.set_tag(run_id, OUTPUTS, outputs(client, run_id))


def outputs(client: Client, run_id: str) -> str:
    """Return a digest of the paths and sizes of all artifacts of a run."""
    listed = sorted(_files(client, run_id, ""))
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()[:32]


def note_reused(client: Client, parent_run_id: str, run_id: str, entry_point: str) -> None:
    """Let the parent tell that a run of before stood for one of its steps."""
    client.set_tag(parent_run_id, f"{REUSED}{run_id}", entry_point)


def _is_whole(client: Client, run: Run) -> bool:
    noted = run.data.tags.get(OUTPUTS)
    if noted is None:  # it did not end as a project's run does
        return False
    try:
        return outputs(client, run.info.run_id) == noted
    except MlcoreError:  # a place that does not answer cannot give the step's results to anybody
        return False


def _files(client: Client, run_id: str, folder: str) -> Iterator[tuple[str, int]]:
    for info in client.list_artifacts(run_id, folder or None):
        if info.is_dir:
            yield from _files(client, run_id, info.path)
        else:
            yield info.path, info.file_size or 0
