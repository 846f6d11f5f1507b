"""Where the artifacts of an `mlruns` tree are: the tree may have been moved or copied since its files named a place."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path

from mlcore.errors import InvalidParameterError
from mlcore.uris import file_uri, local_path
from mlcore_store_file.mlruns_tree import ARTIFACTS, META, MODELS, Tree, holds_mlruns


class Locations:
    """The places of a tree's artifacts, as they are now.

    A local place is taken to be in this tree when it has the form that MLflow gives it, `<root>/<experiment>/...`, and
    the root is not there any more, or is another tree, of which this is a copy. All other URIs stay as they are.
    """

    def __init__(self, tree: Tree, artifact_root: str | None = None) -> None:
        """Look at *tree*; what was decided for a place is remembered.

        artifact_root: where new experiments put artifacts; places in it are never taken for others.
        """
        self._tree = tree
        self._artifact_root = _local(artifact_root or "")
        self._moved: dict[tuple[str, str], bool] = {}

    def of_experiment(self, experiment_id: str, folder: str, recorded: str) -> str:
        """Return an experiment's artifact location. folder: where it is in the tree, the bin included."""
        home = os.path.join(self._tree.root, experiment_id)
        place = _local(recorded)
        if not recorded or (place is not None and place != home and self._is_moved(experiment_id, folder, place)):
            return file_uri(home)
        return recorded

    def below_experiment(self, experiment_id: str, folder: str, recorded: str, below: str) -> str:
        """Return the place of a run's or a logged model's artifacts.

        below: the way there from the experiment's folder: `<run_id>/artifacts`.
        """
        if not recorded:
            return file_uri(os.path.join(folder, below))
        place = _local(recorded)
        if place is None or not place.endswith("/" + below):
            return recorded
        old = place[: -len(below) - 1]
        return file_uri(os.path.join(folder, below)) if self._is_moved(experiment_id, folder, old) else recorded

    def of_source(self, source: str) -> str:
        """Return the place of a model version, which is below a run or a logged model in most cases."""
        place = _local(source)
        if place is None or os.path.exists(place):
            return source
        parts = place.split("/")
        for at in range(1, len(parts) - 1):
            folder = self._tree.experiment(parts[at]) if parts[at] else None
            if folder is None or ".." in parts[at:]:
                continue
            below = parts[at + 1 :]
            inner = below[1:] if below[0] == MODELS else below
            if len(inner) > 1 and inner[1] == ARTIFACTS and os.path.isdir(os.path.join(folder, *below[:-1])):
                return file_uri(os.path.join(folder, *below))
        return source

    def _is_moved(self, experiment_id: str, folder: str, old: str) -> bool:
        """Whether what was at *old*, an experiment's folder at the time, is in *folder* now."""
        known = self._moved.get((folder, old))
        if known is None:
            known = self._moved[folder, old] = self._looks_moved(experiment_id, folder, old)
        return known

    def _looks_moved(self, experiment_id: str, folder: str, old: str) -> bool:
        root = posixpath.dirname(old)
        if posixpath.basename(old) != experiment_id or root == self._artifact_root:
            return False
        if not os.path.isabs(old):
            return True
        if os.path.realpath(old) == os.path.realpath(folder):
            return False
        if not os.path.isdir(root) or os.path.isfile(os.path.join(old, META)):
            return True
        return not os.path.isdir(old) and holds_mlruns(Path(root))


def _local(uri: str) -> str | None:
    """Return the path that a URI of this machine, or of the one that wrote it, means."""
    try:
        return posixpath.normpath(local_path(uri).as_posix()) if uri else None
    except InvalidParameterError:
        return None
