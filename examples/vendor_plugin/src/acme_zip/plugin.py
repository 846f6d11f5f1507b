"""The hooks of acme-zip."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from mlcore.entities.ui_extension import UIExtension
from mlcore.hookspecs import hookimpl
from mlcore.interfaces import ArtifactRepo, TrackingStore
from mlcore.uris import scheme


@hookimpl
def tracking_store(uri: str, artifact_root: str | None) -> TrackingStore | None:
    """Open `zip:///path/lab.zip`."""
    if scheme(uri) != "zip":
        return None
    from acme_zip.place import place_of
    from acme_zip.store import ZipStore

    file, _ = place_of(uri)
    return ZipStore(file, artifact_root or f"zip://{file.path}/artifacts")


@hookimpl
def artifact_repo(uri: str) -> ArtifactRepo | None:
    """Open `zip:///path/lab.zip/folder/inside`."""
    if scheme(uri) != "zip":
        return None
    from acme_zip.place import place_of
    from acme_zip.repo import ZipRepo

    return ZipRepo(*place_of(uri))


@hookimpl
def run_context() -> Mapping[str, str] | None:
    """Tell the bench that ACME_BENCH names."""
    bench = os.environ.get("ACME_BENCH", "")[:200]
    return {"acme.bench": bench} if bench else None


@hookimpl
def ui_extensions() -> Sequence[UIExtension] | None:
    """Show in the web UI which bench made a run, and how the benches compare."""
    from acme_zip.panels import PANELS

    return PANELS
