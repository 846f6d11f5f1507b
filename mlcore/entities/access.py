"""Who asks, for what, and what has been done: the words in which servers and authorities speak of permissions."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from attrs import field, frozen


class Action(StrEnum):
    """What somebody wants to do with a resource.

    `manage` contains `edit`, and `edit` contains `read`. `create` is asked of the kind as a whole, with an empty id.
    """

    READ = "read"
    EDIT = "edit"
    MANAGE = "manage"
    CREATE = "create"


@frozen
class Resource:
    """What is acted upon.

    kind: `experiment`, `registered_model`, or `server` for what belongs to the server as a whole: users, audit log,
    settings. Runs, metrics, artifacts and logged models are resources of their experiment.
    id: the experiment's id or the registered model's name; empty for the kind as a whole.
    """

    kind: str
    id: str = ""


@frozen
class Principal:
    """Somebody who was recognised.

    name: the user's name. token_id: the API token that was used, if any.
    is_admin: may do everything with what was shown, so that the authority is not asked for each resource.
    """

    name: str
    is_admin: bool = False
    token_id: str | None = None


@frozen
class Credentials:
    """What a request shows of who sends it.

    headers: names in lower case. client: the address that the request came from, empty when unknown.
    reads: whether the request can change nothing by its method, so that credentials which a browser adds by itself do.
    """

    headers: Mapping[str, str] = field(repr=False)
    client: str = ""
    reads: bool = False


@frozen
class AuditEntry:
    """One change that somebody made.

    time_ms: ms since the epoch, UTC. request_id: as in the access log.
    endpoint: name of the endpoint, such as `experiments/update`.
    before, after: plain JSON values; None where there is nothing to show. status: the HTTP status of the answer.
    """

    time_ms: int
    principal: str
    endpoint: str
    resource: Resource
    status: int
    request_id: str = ""
    before: object = None
    after: object = None


@frozen
class Permission:
    """What an endpoint needs of who calls it.

    action: None for what anybody may see without saying who they are, such as the health of the server.
    kind: `experiment`, `registered_model` or `server`, as in `Resource`.
    by: where the request names the resource: a field such as `run_id`, `experiment_ids` or `name`; `path` for a path in
    the artifact proxy; `answer` when everybody may ask and the answer shows only what they may read; empty for the
    kind as a whole.
    otherwise: what is needed instead where the request names nothing of `by`, because it may be about another kind.
    also: what is needed besides, each where the request names something of its `by`.
    """

    action: Action | None
    kind: str = "server"
    by: str = ""
    otherwise: Permission | None = None
    also: tuple[Permission, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every field of the request that may name what it is about."""
        own = tuple(name for name in self.by.split("|") if name)
        rest = (*(() if self.otherwise is None else (self.otherwise,)), *self.also)
        return own + tuple(name for more in rest for name in more.names)
