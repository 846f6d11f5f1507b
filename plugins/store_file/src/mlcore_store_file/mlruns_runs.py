"""Runs of an `mlruns` tree, read once and again only when their files change."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterable, Mapping

from attrs import evolve, frozen

from mlcore.entities import (
    DatasetInput,
    InputTag,
    Metric,
    MetricSummary,
    ModelOutput,
    Run,
    RunData,
    RunInputs,
)
from mlcore_store_file.mlruns_lines import Curve, curve_of, in_time_order, joined, read_lines
from mlcore_store_file.mlruns_locations import Locations
from mlcore_store_file.mlruns_memory import Memory
from mlcore_store_file.mlruns_records import dataset_of, number, run_info_of, tags_of_old_fields, text
from mlcore_store_file.mlruns_tree import (
    ARTIFACTS,
    DATASETS,
    INPUTS,
    META,
    METRICS,
    OUTPUTS,
    PARAMS,
    TAGS,
    FoundFile,
    Tree,
)

_HISTORIES = 8


@frozen
class RunRecord:
    """A run, with the summaries of its metrics by key."""

    run: Run
    summaries: Mapping[str, MetricSummary]


class Runs:
    """Read runs, and remember them; used by several threads at once."""

    def __init__(self, tree: Tree, locations: Locations) -> None:
        """Read from *tree*."""
        self._tree = tree
        self._locations = locations
        self._texts_known: Memory[Run | None] = Memory()
        self._known: dict[str, tuple[Run, dict[str, Curve], RunRecord]] = {}
        self._histories: OrderedDict[str, tuple[tuple[int, int, int], tuple[Metric, ...]]] = OrderedDict()

    def read(self, experiment: str, run_id: str, folder: str, *, binned: bool = False) -> RunRecord | None:
        """Return a run; None when the folder holds none, or one that cannot be read, which is reported.

        experiment: the folder of the run's experiment. binned: see `run_info_of`.
        """
        texts, metrics = self._files(folder)
        run = self._texts_known.get(
            folder, texts, lambda: self._make(experiment, run_id, folder, texts, binned=binned), binned
        )
        if run is None:
            return None
        known = self._known.get(folder)
        if known is not None and known[0] is run and _unchanged(metrics, known[1]):
            return known[2]
        curves = self._curves(metrics, known[1] if known else {})
        record = _with_curves(run, curves)
        self._known[folder] = (run, curves, record)
        return record

    def history(self, folder: str, key: str) -> tuple[Metric, ...]:
        """Return the points of a metric, each once, by (timestamp, step, value)."""
        path = os.path.join(folder, METRICS, *key.split("/"))
        found = next((file for file in self._tree.files(os.path.dirname(path)) if file.path == path), None)
        if found is None:
            return ()
        known = self._histories.get(path)
        if known is not None and known[0] == found.mark:
            return known[1]
        lines = read_lines(key, self._tree.data(path))
        for fault in lines.faults:
            self._tree.report(path, fault)
        points = tuple(in_time_order(lines.points))
        self._histories[path] = (found.mark, points)
        while len(self._histories) > _HISTORIES:
            self._histories.popitem(last=False)
        return points

    def _files(self, folder: str) -> tuple[list[FoundFile], list[FoundFile]]:
        """Return the files of texts and of metrics; a text's key begins with the folder that it is in."""
        texts = self._tree.files_of(folder, META)
        for name in (PARAMS, TAGS, INPUTS, OUTPUTS):
            texts += self._tree.files(os.path.join(folder, name), f"{name}/")
        return texts, self._tree.files(os.path.join(folder, METRICS))

    def _curves(self, files: Iterable[FoundFile], known: Mapping[str, Curve]) -> dict[str, Curve]:
        found: dict[str, Curve] = {}
        for file in files:
            old = known.get(file.key)
            found[file.key] = old if old is not None and old.mark == file.mark else self._curve(file, old)
        return dict(sorted(found.items()))

    def _curve(self, file: FoundFile, old: Curve | None) -> Curve:
        try:
            if old is not None and file.mark[0] == old.mark[0] and file.mark[1] > old.mark[1]:
                with open(file.path, "rb") as opened:
                    opened.seek(old.mark[1])
                    tail = read_lines(file.key, opened.read())
                longer = joined(old, file.key, tail, file.mark)
                if longer is not None:
                    return longer
            data = self._tree.data(file.path)
        except FileNotFoundError:
            return Curve(file.mark, None, -1)
        # More may have been written since the file was looked at: then its mark is too old, and it is read once more.
        lines = read_lines(file.key, data)
        for fault in lines.faults:
            self._tree.report(file.path, fault)
        return curve_of(file.key, lines, (file.mark[0], len(data), file.mark[2]))

    def _make(self, experiment: str, run_id: str, folder: str, files: list[FoundFile], *, binned: bool) -> Run | None:
        fields = self._tree.meta(folder)
        if fields is None:
            if files and all(file.key != META for file in files):
                self._tree.report(folder, f"looks like a run and has no {META}: left out")
            return None
        own = text(fields, "run_id") or text(fields, "run_uuid")
        where = os.path.basename(experiment)
        if own != run_id or text(fields, "experiment_id") != where:
            fault = f"says that it is run {own!r} of experiment {text(fields, 'experiment_id')!r}: left out here"
            self._tree.report(os.path.join(folder, META), fault)
            return None
        params = self._tree.texts(files, PARAMS)
        tags = tags_of_old_fields(fields) | self._tree.texts(files, TAGS)
        recorded = text(fields, "artifact_uri")
        uri = self._locations.below_experiment(where, experiment, recorded, f"{run_id}/{ARTIFACTS}")
        try:
            info = run_info_of(fields, uri, tags, binned=binned)
        except ValueError as err:
            self._tree.report(os.path.join(folder, META), f"describes no run: {err}")
            return None
        return Run(info, RunData((), params, tags), self._inputs(experiment, files), self._outputs(files))

    def _inputs(self, experiment: str, files: list[FoundFile]) -> RunInputs:
        datasets: list[DatasetInput] = []
        models: list[str] = []
        for file in _by_age(files, INPUTS):
            fields = self._tree.meta(os.path.dirname(file.path))
            if fields is None:
                continue
            source = text(fields, "source_id")
            if text(fields, "source_type") == "MODEL":
                models.append(source)
                continue
            used = self._dataset_input(experiment, source, fields.get("tags"))
            if used is None:
                self._tree.report(file.path, f"names the dataset {source!r}, which is not there: left out")
            else:
                datasets.append(used)
        return RunInputs(tuple(datasets), tuple(models))

    def _dataset_input(self, experiment: str, dataset_id: str, tags: object) -> DatasetInput | None:
        folder = self._tree.folder(os.path.join(experiment, DATASETS), dataset_id)
        fields = self._tree.meta(folder) if folder else None
        if fields is None:
            return None
        given = tags if isinstance(tags, dict) else {}
        try:
            return DatasetInput(dataset_of(fields), tuple(InputTag(str(k), text(given, k)) for k in given))
        except ValueError as err:
            self._tree.report(str(folder), f"describes no dataset: {err}")
            return None

    def _outputs(self, files: list[FoundFile]) -> tuple[ModelOutput, ...]:
        found = []
        for file in _by_age(files, OUTPUTS):
            fields = self._tree.meta(os.path.dirname(file.path))
            if fields is not None and text(fields, "destination_type") == "MODEL_OUTPUT":
                found.append(ModelOutput(text(fields, "destination_id"), number(fields, "step") or 0))
        return tuple(found)


def copied(run: Run) -> Run:
    """Return a run whose dicts the caller may change."""
    data = run.data
    return evolve(run, data=RunData(data.latest, dict(data.params), dict(data.tags)))


def _unchanged(files: list[FoundFile], known: Mapping[str, Curve]) -> bool:
    if len(files) != len(known):
        return False
    for file in files:
        curve = known.get(file.key)
        if curve is None or curve.mark != file.mark:
            return False
    return True


def _by_age(files: list[FoundFile], folder: str) -> list[FoundFile]:
    """Return the `meta.yaml` files of a folder's folders, the first written first."""
    found = [file for file in files if file.key.startswith(folder + "/") and file.key.endswith("/" + META)]
    return sorted(found, key=lambda file: (file.mark[2], file.key))


def _with_curves(run: Run, curves: Mapping[str, Curve]) -> RunRecord:
    summaries = {key: curve.summary for key, curve in curves.items() if curve.summary is not None}
    latest = tuple(summary.last for summary in summaries.values())
    return RunRecord(evolve(run, data=evolve(run.data, latest=latest)), summaries)
