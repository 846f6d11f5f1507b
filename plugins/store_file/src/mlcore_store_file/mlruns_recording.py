"""What is recorded of a run of an `mlruns` tree, and how it becomes files."""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from attrs import define

from mlcore.entities import Batch, DatasetInput, Metric, ModelOutput
from mlcore.errors import ParamConflictError
from mlcore_store_file.mlruns_change import Change, alone
from mlcore_store_file.mlruns_lines import PointKey, line_of, point_key, read_lines
from mlcore_store_file.mlruns_reading import FoundRun
from mlcore_store_file.mlruns_records import NAME_TAG, dataset_fields
from mlcore_store_file.mlruns_tree import DATASETS, INPUTS, META, METRICS, OUTPUTS, PARAMS, TAGS, Tree, check_key
from mlcore_store_file.mlruns_yaml import write_meta

_CURVES = 256


@define
class _Written:
    """The points that a metric file holds: its inode, how far it was read, and what was there."""

    inode: int
    size: int
    points: set[PointKey]


class Recording:
    """Write what runs record; callers hold the run's folder alone."""

    def __init__(self, tree: Tree) -> None:
        """Write below *tree*."""
        self._tree = tree
        self._written: OrderedDict[str, _Written] = OrderedDict()

    def write(self, folder: str, batch: Batch, fields: dict[str, object]) -> None:
        """Record a batch: all, or nothing.

        fields: of the run's `meta.yaml`, which a tag with its name changes.
        Raises ParamConflictError: a param has another value already.
        """
        steps = Change(folder)
        for key, value in self._new_params(folder, batch).items():
            steps.write(f"{PARAMS}/{key}", value)
        by_key: dict[str, list[Metric]] = {}
        for point in batch.metrics:
            by_key.setdefault(point.key, []).append(point)
        for key, points in by_key.items():
            check_key(key, "the metric")
            fresh = self._fresh(os.path.join(folder, METRICS, key), key, points)
            if fresh:
                steps.append(f"{METRICS}/{key}", [line_of(point) for point in fresh])
        tags = {tag.key: tag.value for tag in batch.tags}
        for key, value in tags.items():
            check_key(key, "the tag")
            steps.write(f"{TAGS}/{key}", value)
        if tags.get(NAME_TAG):
            steps.write(META, write_meta({**fields, "run_name": tags[NAME_TAG]}))
        steps.commit()

    def has_tag(self, folder: str, key: str) -> bool:
        """Whether a run has a tag."""
        return any(file.key == key for file in self._tree.files(os.path.join(folder, TAGS)))

    def write_inputs(self, found: FoundRun, inputs: Sequence[DatasetInput]) -> None:
        """Record the use of datasets; the first use of a dataset stays as it is."""
        steps, written = Change(found.folder), []
        for each in inputs:
            dataset_id = _md5(each.dataset.name, each.dataset.digest)
            home = f"{INPUTS}/{_md5(dataset_id, found.run_id)}/{META}"
            if home in written or os.path.exists(os.path.join(found.folder, home)):
                continue
            described = f"{DATASETS}/{dataset_id}/{META}"
            if not os.path.exists(os.path.join(found.experiment, described)):
                with alone(found.experiment):
                    once = Change(found.experiment)
                    once.write(described, write_meta(dataset_fields(each.dataset)))
                    once.commit()
            fields = {**_edge("DATASET", "RUN", dataset_id), "tags": {tag.key: tag.value for tag in each.tags}}
            steps.write(home, write_meta(fields))
            written.append(home)
        steps.commit()
        _in_order(found.folder, INPUTS, written)

    def write_links(self, found: FoundRun, inputs: Iterable[str], outputs: Iterable[ModelOutput]) -> None:
        """Record which models a run read and made; the same again is kept once."""
        steps = Change(found.folder)
        read: list[str] = []
        made: list[str] = []
        for model_id in dict.fromkeys(inputs):
            home = f"{INPUTS}/{_md5(model_id, found.run_id)}/{META}"
            if not os.path.exists(os.path.join(found.folder, home)):
                steps.write(home, write_meta({**_edge("MODEL", "RUN", model_id), "tags": {}}))
                read.append(home)
        for output in dict.fromkeys(outputs):
            place = self._output(found.folder, output, made)
            if place is not None:
                fields = {**_edge("RUN_OUTPUT", "MODEL_OUTPUT", output.model_id), "step": output.step, "tags": {}}
                steps.write(place, write_meta(fields))
                made.append(place)
        steps.commit()
        _in_order(found.folder, INPUTS, read)
        _in_order(found.folder, OUTPUTS, made)

    def _output(self, folder: str, output: ModelOutput, made: Sequence[str]) -> str | None:
        """Return where an output is written; None when it is there already.

        MLflow names the folder after the model and reads any name, so a model's further steps get folders of their own.
        """
        check_key(output.model_id, "the logged model")
        first, own = f"{OUTPUTS}/{output.model_id}/{META}", f"{OUTPUTS}/{output.model_id}.{output.step}/{META}"
        if first not in made and not os.path.exists(os.path.join(folder, first)):
            return first
        fields = self._tree.meta(os.path.join(folder, os.path.dirname(first)))
        same = fields is not None and fields.get("step") == output.step
        return None if same or os.path.exists(os.path.join(folder, own)) else own

    def _new_params(self, folder: str, batch: Batch) -> dict[str, str]:
        """Return the params that are not there yet."""
        joined: dict[str, str] = {}
        there: set[str] = set()
        for param in batch.params:
            check_key(param.key, "the param")
            path = os.path.join(folder, PARAMS, param.key)
            if param.key not in joined and os.path.isfile(path):
                joined[param.key] = self._tree.text(path)
                there.add(param.key)
            if joined.setdefault(param.key, param.value) != param.value:
                raise ParamConflictError(
                    f"param {param.key!r} has the value {joined[param.key]!r} already, got {param.value!r}"
                )
        return {key: value for key, value in joined.items() if key not in there}

    def _fresh(self, path: str, key: str, points: Sequence[Metric]) -> list[Metric]:
        """Return the points that the file does not hold yet, each once."""
        new = {point_key(point): point for point in points}
        try:
            seen = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return list(new.values())
        known = self._written.get(path)
        if known is None or known.inode != seen.st_ino or known.size > seen.st_size:
            known = _Written(seen.st_ino, 0, set())
        if known.size < seen.st_size:
            with open(path, "rb") as file:
                file.seek(known.size)
                data = file.read()
            known.points.update(map(point_key, read_lines(key, data).points))
            known.size += data.rfind(b"\n") + 1
        self._written[path] = known
        while len(self._written) > _CURVES:
            self._written.popitem(last=False)
        return [point for each, point in new.items() if each not in known.points]


def _edge(source: str, destination: str, node: str) -> dict[str, object]:
    """Return the fields that say what goes where; MLflow writes the source's id for both ends."""
    return {"source_type": source, "source_id": node, "destination_type": destination, "destination_id": node}


def _md5(*parts: str) -> str:
    """Return the id that MLflow makes of names."""
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()


def _in_order(folder: str, kind: str, written: Sequence[str]) -> None:
    """Give files times that rise, after those that are there: that is the order in which they are read."""
    if not written:
        return
    home = os.path.join(folder, kind)
    metas = [os.path.join(home, name, META) for name in os.listdir(home)]
    new = {os.path.join(folder, path) for path in written}
    at = max((os.stat(path).st_mtime_ns for path in metas if path not in new and os.path.exists(path)), default=0)
    for path in written:
        place = os.path.join(folder, path)
        at = max(at + 1, os.stat(place).st_mtime_ns)
        os.utime(place, ns=(at, at))
