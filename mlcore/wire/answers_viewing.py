"""The shapes of answers to pages that look at files."""

from __future__ import annotations

from attrs import frozen


@frozen
class ShownFile:
    """A file or directory; size and media type are null for a directory."""

    path: str
    is_dir: bool
    size_bytes: object = None
    mime: object = None


@frozen
class ShownFiles:
    """A page of a directory. complete: false when there are more files than a recursive listing goes through."""

    root: str
    files: tuple[ShownFile, ...] = ()
    next_page_token: str = ""
    complete: bool = True


@frozen
class TicketAnswer:
    """Where the files are readable: *url* is relative to the server's prefix."""

    ticket: str
    url: str
    expires_ms: int


@frozen
class ColumnShape:
    """A column. type: text, integer, number, boolean, time, or what the file itself calls it."""

    name: str
    type: str


@frozen
class TableShape:
    """Some rows of a table.

    total: number of rows; null when the end of the file was not seen.
    truncated: whether something is not shown because it is too much: columns, long texts, or what follows.
    """

    columns: tuple[ColumnShape, ...]
    rows: tuple[object, ...]
    total: object = None
    truncated: bool = False


@frozen
class FlavorShape:
    """A flavor of a model, with its section of `MLmodel`."""

    name: str
    config: object = None


@frozen
class ModelDescription:
    """What a model says of itself; what it does not say is null.

    problems: what is wrong with its files, as texts for people.
    """

    flavors: tuple[FlavorShape, ...] = ()
    signature: object = None
    requirements: tuple[str, ...] = ()
    python_version: object = None
    size_bytes: object = None
    run_id: object = None
    model_id: object = None
    created: object = None
    input_example: object = None
    metadata: object = None
    loader: object = None
    files: int = 0
    manifest: bool = False
    signed: bool = False
    problems: tuple[str, ...] = ()


@frozen
class DataShape:
    """The value of a file.

    truncated: whether something of it is left out because it is too much. problem: why there is no value.
    """

    value: object = None
    truncated: bool = False
    problem: str = ""


@frozen
class ServedAnswer:
    """Addresses of scoring servers."""

    servers: tuple[str, ...] = ()


@frozen
class ServedPrediction:
    """What a scoring server answered. body: a text, not all of it when truncated. took_ms: from sending to its end."""

    status: int
    body: str
    took_ms: int
    truncated: bool = False
