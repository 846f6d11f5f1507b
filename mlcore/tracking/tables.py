"""Read tables that many runs logged, and searches that go over many pages."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeVar

from mlcore.artifacts.transfer import download_file
from mlcore.entities import PagedList, Run
from mlcore.errors import MissingDependencyError, NotFoundError
from mlcore.tracking import content
from mlcore.tracking.frames import runs_frame
from mlcore.uris import relative_path
from mlcore.wire import limits

if TYPE_CHECKING:
    import pandas as pd

    from mlcore.tracking.session import Session

T = TypeVar("T")

_PAGE = 10_000


def read_tables(
    session: Session, runs: Sequence[Run], artifact_file: str, extra_columns: Sequence[str]
) -> pd.DataFrame:
    """Read a table from those of *runs* that logged it, one after the other, as one frame.

    extra_columns: columns to add from the run, such as `run_id`, `status` or `tags.team`.
    Raises NotFoundError: none of the runs has the table.
    """
    try:
        import pandas as pd
    except ImportError as err:
        raise MissingDependencyError("load_table needs pandas: pip install pandas") from err
    path = relative_path(artifact_file)
    frames = []
    for run in runs:
        repo = session.run_repo(run)
        if repo.stat(path) is None:
            continue
        with tempfile.TemporaryDirectory(prefix="mlcore-") as folder:
            target = Path(folder) / PurePosixPath(path).name
            download_file(repo, path, target)
            frame = content.read_table(target)
        described = runs_frame([run]).iloc[0]
        for column in [extra_columns] if isinstance(extra_columns, str) else extra_columns:
            frame[column] = described.get(column)
        frames.append(frame)
    if not frames:
        raise NotFoundError(
            f"no run among {len(runs)} has the table {artifact_file!r}; list_artifacts shows what a run has"
        )
    return pd.concat(frames, ignore_index=True)


def all_pages(fetch: Callable[[int, str | None], PagedList[T]], max_results: int | None = None) -> list[T]:
    """Return what a search finds over all its pages; at most *max_results*.

    fetch: called with the size of a page and the token of the page before.
    """
    wanted = limits.check_max_results(max_results, limits.INT64_MAX) if max_results is not None else limits.INT64_MAX
    found: list[T] = []
    token: str | None = None
    while len(found) < wanted:
        page = fetch(min(_PAGE, wanted - len(found)), token)
        found += page
        token = page.token
        if not token:
            break
    return found
