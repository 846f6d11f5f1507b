"""The part of the client that records into a run: each method is the run handle's, with the run id first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from os import PathLike
from typing import BinaryIO

from mlcore.entities import DatasetInput, FileInfo, Metric, Param, RunTag
from mlcore.tracking.recorder import Delivery
from mlcore.tracking.run_handle import RunHandle
from mlcore.tracking.session import Session, checked_uri, current_session
from mlcore.tracking.unsupported import refuse_logged_models


class RunOperations:
    """Record into runs by id."""

    def __init__(self, tracking_uri: str | PathLike[str] | None = None, *, session: Session | None = None) -> None:
        """Use the store at *tracking_uri*, or the one of the fluent API when not given."""
        self._session = session or current_session()
        self._uri = checked_uri(tracking_uri)

    @property
    def tracking_uri(self) -> str:
        """The URI of the store."""
        return self._uri or self._session.tracking_uri

    def run(self, run_id: str) -> RunHandle:
        """Return a handle of the run; reads nothing, so it does not tell whether the run exists."""
        return RunHandle(run_id, self.tracking_uri, self._session)

    def log_metric(
        self,
        run_id: str,
        key: str,
        value: float,
        timestamp: int | None = None,
        step: int | None = None,
        synchronous: bool | None = None,
        dataset_name: str | None = None,
        dataset_digest: str | None = None,
        model_id: str | None = None,
    ) -> Delivery | None:
        """Record one point; see `RunHandle.log_metric`.

        dataset_name, dataset_digest, model_id: None; MLflow's logged models are not kept, so that anything else is
        refused.
        """
        refuse_logged_models(dataset_name=dataset_name, dataset_digest=dataset_digest, model_id=model_id)
        run = self.run(run_id)
        if synchronous is not None:
            return run.delivered(partial(run.log_metric, key, value, step, timestamp), synchronous)
        run.log_metric(key, value, step, timestamp)
        return None

    def log_param(self, run_id: str, key: str, value: object, synchronous: bool | None = None) -> object:
        """Record a param and return its value; see `RunHandle.log_param`."""
        run = self.run(run_id)
        if synchronous is not None:
            return run.delivered(partial(run.log_param, key, value), synchronous) or value
        run.log_param(key, value)
        return value

    def log_batch(
        self,
        run_id: str,
        metrics: Iterable[Metric] = (),
        params: Iterable[Param] = (),
        tags: Iterable[RunTag] = (),
        synchronous: bool | None = None,
    ) -> Delivery | None:
        """Record points, params and tags together; over 1000 in all they are sent in pieces."""
        run = self.run(run_id)
        if synchronous is not None:
            return run.delivered(partial(run.log_batch, metrics, params, tags), synchronous)
        run.log_batch(metrics, params, tags)
        return None

    def log_inputs(
        self, run_id: str, datasets: Iterable[DatasetInput] | None = None, models: Iterable[object] | None = None
    ) -> None:
        """Record datasets that the run read; *models* must be None, MLflow's logged models are not kept."""
        refuse_logged_models(models=models)
        self.run(run_id).log_inputs(datasets or ())

    def set_tag(self, run_id: str, key: str, value: object, synchronous: bool | None = None) -> Delivery | None:
        """Set a tag over any earlier value."""
        run = self.run(run_id)
        if synchronous is not None:
            return run.delivered(partial(run.set_tag, key, value), synchronous)
        run.set_tag(key, value)
        return None

    def delete_tag(self, run_id: str, key: str) -> None:
        """Remove a tag. Raises NotFoundError: the run has no such tag."""
        self.run(run_id).delete_tag(key)

    def log_artifact(self, run_id: str, local_path: str | PathLike[str], artifact_path: str | None = None) -> None:
        """Store a file or directory; see `RunArtifacts.log_artifact`."""
        self.run(run_id).log_artifact(local_path, artifact_path)

    def log_artifacts(self, run_id: str, local_dir: str | PathLike[str], artifact_path: str | None = None) -> None:
        """Store the content of a directory; see `RunArtifacts.log_artifacts`."""
        self.run(run_id).log_artifacts(local_dir, artifact_path)

    def log_text(self, run_id: str, text: str, artifact_file: str) -> None:
        """Store *text* as a UTF-8 file."""
        self.run(run_id).log_text(text, artifact_file)

    def log_dict(self, run_id: str, dictionary: object, artifact_file: str) -> None:
        """Store a dict or list as YAML or JSON, as the file's name says."""
        self.run(run_id).log_dict(dictionary, artifact_file)

    def log_stream(self, run_id: str, stream: BinaryIO, artifact_file: str) -> None:
        """Store all that a binary stream yields."""
        self.run(run_id).log_stream(stream, artifact_file)

    def log_figure(
        self, run_id: str, figure: object, artifact_file: str, *, save_kwargs: Mapping[str, object] | None = None
    ) -> None:
        """Store a matplotlib or plotly figure."""
        self.run(run_id).log_figure(figure, artifact_file, save_kwargs=save_kwargs)

    def log_image(
        self,
        run_id: str,
        image: object,
        artifact_file: str | None = None,
        key: str | None = None,
        step: int | None = None,
        timestamp: int | None = None,
        synchronous: bool | None = None,  # noqa: ARG002  # MLflow's signature; the image is stored when this returns
    ) -> None:
        """Store an image by name, or as one of a series by key, step and timestamp."""
        self.run(run_id).log_image(image, artifact_file, key, step, timestamp)

    def log_table(self, run_id: str, data: object, artifact_file: str) -> None:
        """Store a table, appended to what is there."""
        self.run(run_id).log_table(data, artifact_file)

    def list_artifacts(self, run_id: str, path: str | None = None) -> list[FileInfo]:
        """Return the direct children of a directory of artifacts, sorted by path."""
        return self.run(run_id).list_artifacts(path)

    def download_artifacts(self, run_id: str, path: str = "", dst_path: str | PathLike[str] | None = None) -> str:
        """Fetch a file or directory and return its local path."""
        return self.run(run_id).download_artifacts(path, dst_path)
