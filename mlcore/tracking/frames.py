"""Runs as a pandas frame, in MLflow's columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlcore.entities import Run
from mlcore.errors import MissingDependencyError

if TYPE_CHECKING:
    import pandas as pd


def runs_frame(runs: Sequence[Run]) -> pd.DataFrame:
    """Return one row per run.

    Columns: run_id, experiment_id, status, artifact_uri, start_time, end_time (UTC timestamps, NaT while running), then
    `metrics.<key>` (float64, NaN when missing), `params.<key>` and `tags.<key>` (text, None when missing), sorted.
    """
    try:
        import pandas as pd
    except ImportError as err:
        raise MissingDependencyError("search_runs as a frame needs pandas: pip install pandas") from err
    infos = [run.info for run in runs]
    columns: dict[str, object] = {
        "run_id": [i.run_id for i in infos],
        "experiment_id": [i.experiment_id for i in infos],
        "status": [str(i.status) for i in infos],
        "artifact_uri": [i.artifact_uri for i in infos],
        "start_time": _times([i.start_time for i in infos]),
        "end_time": _times([i.end_time for i in infos]),
    }
    metrics = [run.data.metrics for run in runs]
    for key in sorted({k for row in metrics for k in row}):
        columns[f"metrics.{key}"] = [row.get(key, float("nan")) for row in metrics]
    for key in sorted({k for run in runs for k in run.data.params}):
        columns[f"params.{key}"] = pd.Series([run.data.params.get(key) for run in runs], dtype=object)
    for key in sorted({k for run in runs for k in run.data.tags}):
        columns[f"tags.{key}"] = pd.Series([run.data.tags.get(key) for run in runs], dtype=object)
    return pd.DataFrame(columns)


def _times(moments: Sequence[int | None]) -> pd.DatetimeIndex:
    import numpy as np
    import pandas as pd

    missing = np.iinfo(np.int64).min  # NaT
    stamps = np.array([missing if m is None else m for m in moments], dtype="int64").view("datetime64[ms]")
    return pd.DatetimeIndex(stamps.astype("datetime64[ns]")).tz_localize("UTC")
