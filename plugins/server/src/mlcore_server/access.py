"""The one place where it is decided whether a caller may do what a request asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve

from mlcore.entities import Action, Credentials, Permission, Principal, Resource
from mlcore.errors import MlcoreError, PermissionDeniedError
from mlcore.interfaces import Authority
from mlcore.uris import relative_path
from mlcore.wire.endpoint import Endpoint
from mlcore_server.stores import Stores

Json = dict[str, Any]

NOBODY: Principal = Principal("", is_admin=True)  # who calls a server without an authority: everybody may everything

_LISTS = {
    "experiments": ("experiment", "experiment_id"),
    "registered_models": ("registered_model", "name"),
    "model_versions": ("registered_model", "name"),
    "transition_requests": ("registered_model", "name"),
    "runs": ("experiment", "experiment_id"),
    "models": ("registered_model", "name"),
}


class Access:
    """Asks the authority, if there is one."""

    def __init__(self, authority: Authority | None, stores: Stores) -> None:
        """Decide by *authority*; without one everything is allowed."""
        self.authority: Authority | None = authority
        self._stores = stores

    def principal(self, headers: Mapping[str, str], client: str, method: str = "") -> Principal:
        """Return who is calling. method: of the request. Raises UnauthenticatedError."""
        if self.authority is None:
            return NOBODY
        return self.authority.authenticate(Credentials(headers, client, reads=method in ("GET", "HEAD")))

    def allow(self, principal: Principal, endpoint: Endpoint, request: Any) -> Any:
        """Return *request*, narrowed to what *principal* may see.

        Raises PermissionDeniedError: it asks for what the principal may not do.
        """
        need = endpoint.permission
        if self.authority is None or need.action is None or principal.is_admin:
            return request
        for more in need.also:
            if more.action is not None and any(getattr(request, name, None) for name in more.names):
                for resource in self.resources(more, request):
                    self.demand(principal, more.action, resource)
        if need.by == "answer":
            return request
        if need.by == "experiment_ids" and request.experiment_ids:
            return self._narrowed(principal, request)
        for resource in self.resources(need, request):
            self.demand(principal, need.action, resource)
        return request

    def readable(self, principal: Principal, kind: str, ids: Sequence[str]) -> frozenset[str]:
        """Return those of *ids* that *principal* may read."""
        if self.authority is None or principal.is_admin:
            return frozenset(ids)
        return self.authority.readable(principal, kind, ids)

    def may(self, principal: Principal, action: Action, resource: Resource) -> bool:
        """Whether *principal* may do *action*; without an authority everybody may."""
        return self.authority is None or self.authority.authorize(principal, action, resource)

    def demand(self, principal: Principal, action: Action, resource: Resource) -> None:
        """Let pass who may do *action*. Raises PermissionDeniedError."""
        if self.may(principal, action, resource):
            return
        what = f"{resource.kind.replace('_', ' ')} {resource.id!r}" if resource.id else resource.kind.replace("_", " ")
        raise PermissionDeniedError(f"Permission denied: {principal.name!r} may not {action.value} {what}")

    def demand_run(self, principal: Principal, action: Action, run_id: str) -> None:
        """Let pass who may do *action* with a run that a request mentions. Raises PermissionDeniedError."""
        if self.authority is not None and not principal.is_admin:
            self.demand(principal, action, Resource("experiment", self._owner("run_id", run_id)))

    def demand_model(self, principal: Principal, action: Action, model_id: str) -> None:
        """Let pass who may do *action* with a logged model that a request mentions. Raises PermissionDeniedError."""
        if self.authority is not None and not principal.is_admin:
            self.demand(principal, action, Resource("experiment", self._owner("model_id", model_id)))

    def resources(self, need: Permission, request: object) -> tuple[Resource, ...]:
        """Return what a request is about; the kind as a whole when it names nothing."""
        for name in need.by.split("|"):
            value = getattr(request, name, None) if name != "path" else _proxy_path(request)
            if not value:
                continue
            ids = dict.fromkeys(str(one) for one in (value if isinstance(value, tuple) else (value,)))
            # many runs are mostly of few experiments, and each is asked about once
            return tuple(dict.fromkeys(Resource(need.kind, self._owner(name, one)) for one in ids))
        if need.otherwise is not None:
            return self.resources(need.otherwise, request)
        return (Resource(need.kind),)

    def shown(self, principal: Principal, endpoint: Endpoint, answer: Json) -> Json:
        """Return *answer* without what *principal* may not see, where the request itself names nothing."""
        if self.authority is None or endpoint.permission.by != "answer" or principal.is_admin:
            return answer
        if "experiment" in answer:
            self.demand(principal, Action.READ, Resource("experiment", answer["experiment"]["experiment_id"]))
        for name, (kind, key) in _LISTS.items():
            if isinstance(answer.get(name), list):
                allowed = self.authority.readable(principal, kind, [entry[key] for entry in answer[name]])
                answer[name] = [entry for entry in answer[name] if entry[key] in allowed]
        return answer

    def happened(self, principal: Principal, endpoint: Endpoint, request: Any, answer: Json) -> None:
        """Tell the authority of what was made, renamed or removed."""
        if self.authority is None:
            return
        if endpoint.name == "experiments/create":
            self.authority.created(principal, Resource("experiment", answer["experiment_id"]))
        elif endpoint.name == "POST registered-models/create":
            self.authority.created(principal, Resource("registered_model", request.name))
        elif endpoint.name == "POST registered-models/rename":
            self.authority.renamed(Resource("registered_model", request.name), request.new_name)
        elif endpoint.name == "DELETE registered-models/delete":
            self.authority.deleted(Resource("registered_model", request.name))

    def _narrowed(self, principal: Principal, request: Any) -> Any:
        assert self.authority is not None  # noqa: S101  # the caller has looked
        asked = request.experiment_ids
        allowed = self.authority.readable(principal, "experiment", asked)
        if not allowed:
            raise PermissionDeniedError(
                f"Permission denied: {principal.name!r} may not read any of the experiments {', '.join(asked[:5])}"
            )
        return (
            request
            if len(allowed) == len(asked)
            else evolve(request, experiment_ids=tuple(e for e in asked if e in allowed))
        )

    def _owner(self, name: str, value: str) -> str:
        """Return the id of the resource that a field of a request names."""
        try:
            if name in ("run_id", "run_ids"):
                return self._stores.experiment_of(value)
            if name == "model_id":
                return self._stores.experiment_of_model(value)
            if name == "request_id":
                return self._stores.requests.get_request(value).name
        except MlcoreError as err:
            if err.status == 404:
                raise PermissionDeniedError(f"Permission denied, or there is no {name} {value[:80]!r}") from err
            raise
        return value.strip("/").partition("/")[0] if name == "path" else value


def _proxy_path(request: object) -> str:
    """Return the path in the proxy that a request names; its first part is the experiment.

    It is resolved as where the file is looked for, or another spelling of a path (`./1/x`) would ask for somebody
    else's permission. Of uploads in parts, `path` is a name on the client's machine.
    """
    path = getattr(request, "artifact_path", None)
    return relative_path((getattr(request, "path", "") if path is None else path).rstrip("/")) or "/"
