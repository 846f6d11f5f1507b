"""What is recorded of a run, step by step: the entries of a journal, and of its delivery to a store."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from mlcore.entities.dataset import DatasetInput
from mlcore.entities.metric import Batch
from mlcore.entities.run import NewRun, RunChange


@frozen
class RunCreation:
    """The run comes to be.

    experiment_name: the experiment to create the run in when its id was not known, as without a connection.
    """

    new: NewRun
    experiment_name: str | None = None


@frozen
class TagRemoval:
    """A tag goes; one that is not there is fine."""

    key: str


@frozen
class InputsUse:
    """Datasets that the run read."""

    inputs: tuple[DatasetInput, ...]


@frozen
class SpooledArtifact:
    """A file of the run that waits beside the journal to be stored under *path*."""

    path: str
    size_bytes: int
    sha256: str


@frozen
class Note:
    """Anything else, in plain JSON values; readers keep what they do not understand.

    name: what it is, such as `model_output`.
    """

    name: str
    data: Mapping[str, object] = field(factory=dict)


Recorded = Batch | RunCreation | RunChange | TagRemoval | InputsUse | SpooledArtifact | Note


@frozen
class Entry:
    """One step of a journal.

    sequence: where it stands in its journal; of one writer each is greater than the one before.
    at: when it was recorded, ms since the epoch, UTC, never less than that of the entry before it in the journal;
    entries that hold nothing but points carry that of the last entry that had one.
    """

    sequence: int
    at: int
    recorded: Recorded
