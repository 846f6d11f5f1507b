"""What a plugin shows in the web UI: an ES module, or blocks that Python makes and the UI draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from attrs import field, frozen


class UIKind(StrEnum):
    """Where something is shown.

    page: a page of its own, named in the navigation. experiment_panel: beside an experiment's runs. run_panel: a tab of
    a run. compare_panel: a tab of the comparison of runs. artifact_viewer: in place of a file. column_renderer: in the
    cells of a column. model_panel: a tab of a model version.
    """

    PAGE = "page"
    EXPERIMENT_PANEL = "experiment_panel"
    RUN_PANEL = "run_panel"
    COMPARE_PANEL = "compare_panel"
    ARTIFACT_VIEWER = "artifact_viewer"
    COLUMN_RENDERER = "column_renderer"
    MODEL_PANEL = "model_panel"


@frozen
class BlockContext:
    """What blocks are made for; the person who looks may read all that it names.

    run_ids: of a run panel one, of a compare panel several, of an experiment panel the selected ones, of a model panel
    the one that the version comes from, if the person may read it. experiment_id, model, version: empty where they say
    nothing. experiment_ids: all whose runs are shown together, the first of them experiment_id.
    """

    kind: UIKind
    tracking_uri: str
    registry_uri: str
    run_ids: tuple[str, ...] = ()
    experiment_id: str = ""
    model: str = ""
    version: str = ""
    experiment_ids: tuple[str, ...] = ()


@frozen
class Markdown:
    """A text; HTML in it is shown as text."""

    text: str


@frozen
class Table:
    """A table of plain values, row by row."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | int | bool | None, ...], ...]
    title: str = ""


@frozen
class Line:
    """Curves over one axis.

    x: ascending. series: name to values, one per x; None where there is none.
    """

    x: tuple[float, ...]
    series: Mapping[str, tuple[float | None, ...]]
    title: str = ""
    x_label: str = ""


@frozen
class Bar:
    """One bar per label."""

    labels: tuple[str, ...]
    values: tuple[float, ...]
    title: str = ""


@frozen
class Image:
    """A picture: PNG, JPEG, GIF or WebP.

    alt: what it shows, for those who do not see it.
    """

    content: bytes = field(repr=False)
    alt: str
    media_type: str = "image/png"


@frozen
class Html:
    """A document that is shown in a sandbox: its scripts run, and reach nothing outside of it.

    height: in CSS pixels.
    """

    document: str
    title: str
    height: int = 400


Block = Markdown | Table | Line | Bar | Image | Html


@frozen
class UIExtension:
    """One thing that a plugin shows in the web UI.

    id: its name in addresses, unique among all plugins: lower-case letters, digits, `-`.
    package, module: a Python package and the path of an ES module in its folder `static`, such as `panel.js`; the
    folder is served to anybody who reaches the server. Both are empty for `blocks`.
    match: of a column_renderer, columns (`metrics.rmse`). Of a run_panel, what a run must have for the panel to be shown,
    one of these at least (`metrics.system/*`, `params.*`, `tags.acme.*`); empty for every run. Of an artifact_viewer, patterns of file names (`*.geojson`),
    media types (`image/*`), names of folders (`*.zarr/`) and names of files that lie in a folder which it shows
    (`/MLmodel`); one that begins with `!` takes out what the others let in. Tables of `log_table` have the media type
    `application/vnd.mlcore.table+json`. max_bytes: files above are left to other viewers; None for any size.
    series: an artifact_viewer of files that are one thing through steps, such as `sample_step_12.png`.
    order: smaller comes first; the UI's own viewers have 200 and more, its panels 10 to 50.
    isolate: run the module in a sandboxed frame that sees what it is told alone.
    blocks: Python that makes what is shown, instead of a module; called in a thread of the server at each look. Not of
    an artifact_viewer or a column_renderer.
    """

    kind: UIKind
    id: str
    title: str
    package: str = ""
    module: str = ""
    match: tuple[str, ...] = ()
    max_bytes: int | None = None
    series: bool = False
    order: int = 100
    isolate: bool = False
    blocks: Callable[[BlockContext], Sequence[Block]] | None = field(default=None, repr=False)
