"""The requests of pages that look at files: each names a run, a logged model, or a version of a registered model."""

from __future__ import annotations

from attrs import frozen

from mlcore.wire.messages import optional, required


@frozen
class ListFiles:
    """`GET /api/ui/1/artifacts:list`: a page of a directory, directories first, then by name.

    path: of the directory; of a file for this file alone. recursive: with everything below.
    """

    run_id: str = optional("")
    model_id: str = optional("")
    name: str = optional("")
    version: str = optional("")
    path: str = optional("")
    recursive: bool = optional(False)
    page_token: str = optional("")


@frozen
class MakeTicket:
    """`POST /api/ui/1/artifacts:ticket`: make the part below a path readable through a URL, for an hour.

    path: a directory, or one file.
    """

    run_id: str = optional("")
    model_id: str = optional("")
    name: str = optional("")
    version: str = optional("")
    path: str = optional("")


@frozen
class RawFile:
    """`GET /raw/{ticket}/{path}`: a file as a browser shows it, in a sandbox.

    path: below the one that the ticket is for.
    """

    ticket: str = required()
    path: str = optional("")


@frozen
class ShowTable:
    """`GET /api/ui/1/artifacts:table`: some rows of a table in a file: csv, tsv, JSON lines, json, parquet, npy.

    limit: 1 to 1000 rows.
    """

    run_id: str = optional("")
    model_id: str = optional("")
    name: str = optional("")
    version: str = optional("")
    path: str = required()
    offset: int = optional(0)
    limit: int = optional(100)


@frozen
class DescribeModel:
    """`GET /api/ui/1/models:describe`: what a model says of itself; nothing of it is loaded.

    path: of the model's directory.
    """

    run_id: str = optional("")
    model_id: str = optional("")
    name: str = optional("")
    version: str = optional("")
    path: str = optional("")


@frozen
class ShowData:
    """`GET /api/ui/1/artifacts:data`: the value of a YAML file, read by a loader that knows plain values alone."""

    run_id: str = optional("")
    model_id: str = optional("")
    name: str = optional("")
    version: str = optional("")
    path: str = required()


@frozen
class FindServed:
    """`GET /api/ui/1/models:served`: the scoring servers that the operator names for a registered model."""

    name: str = required()


@frozen
class AskServed:
    """`POST /api/ui/1/models:ask`: send a request for predictions to a scoring server that the operator names.

    server: one of those that `models:served` tells, as it is told. body: JSON of the request, as a text.
    """

    name: str = required()
    server: str = required()
    body: str = required()
