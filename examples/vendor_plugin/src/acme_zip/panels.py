"""What acme-zip shows in the web UI: a tab of a run, made in Python; a tab of an experiment and a viewer, ES modules."""

from __future__ import annotations

from collections.abc import Sequence

from mlcore import Client
from mlcore.entities.ui_extension import Bar, Block, BlockContext, Markdown, UIExtension, UIKind


def bench(context: BlockContext) -> Sequence[Block]:
    """Tell where a run was made, and draw its last metrics."""
    blocks: list[Block] = []
    for run_id in context.run_ids:
        run = Client(context.tracking_uri, context.registry_uri).get_run(run_id)
        blocks.append(Markdown(f"Made at bench **{run.data.tags.get('acme.bench', 'unknown')}**"))
        if run.data.metrics:
            blocks.append(Bar(tuple(run.data.metrics), tuple(run.data.metrics.values()), "Last values"))
    return blocks


PANELS = (
    UIExtension(UIKind.RUN_PANEL, "acme-bench", "Bench", blocks=bench),
    UIExtension(UIKind.EXPERIMENT_PANEL, "acme-benches", "Benches", package="acme_zip", module="benches.js"),
    UIExtension(
        UIKind.ARTIFACT_VIEWER, "acme-lab", "Lab", package="acme_zip", module="lab.js", match=("*.lab/", "*.readings")
    ),
)
