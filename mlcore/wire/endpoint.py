"""What an endpoint of the REST protocol is: one row of the table in `endpoints`."""

from __future__ import annotations

from attrs import frozen

from mlcore.entities import Permission

API, AJAX = "/api/2.0", "/ajax-api/2.0"


@frozen
class Endpoint:
    """One operation, and all paths under which clients call it.

    name: unique; the path without prefix, with the method where several share it: `runs/create`.
    path: below the prefix, with `{name}` for a segment and `{name:path}` for the rest: `/mlflow/runs/create`.
    request: the record that fields of query, body and path make.
    answer: the record that describes the answer; None when it is not JSON.
    call: what answers it: a group and a method of it, such as `runs.create`.
    permission: what the caller needs.
    preview: whether clients of MLflow 1.x call it under `/preview` too.
    absolute: the path stands for itself and has no other.
    ajax_only: pages call it, and clients do not.
    streams: body or answer are files, which the endpoint moves itself.
    since: first release of MLflow that has it, or `mlcore` for what MLflow does not have.
    """

    name: str
    method: str
    path: str
    request: type
    answer: type | None
    call: str
    permission: Permission
    preview: bool = False
    absolute: bool = False
    ajax_only: bool = False
    streams: bool = False
    mutates: bool = False
    since: str = "1.13"

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path under which it is served; the first is the one that our own client calls."""
        if self.absolute:
            return (self.path,)
        if self.ajax_only:
            return (AJAX + self.path,)
        found = [API + self.path, AJAX + self.path]
        if self.preview:
            found += [f"{base}/preview{self.path}" for base in (API, AJAX)]
        return tuple(found)
