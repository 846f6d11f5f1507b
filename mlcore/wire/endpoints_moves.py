"""The endpoints of moves in the registry, their history, and transition requests; MLflow has none of them."""

from __future__ import annotations

from mlcore.entities import Action, Permission
from mlcore.wire import answers as a
from mlcore.wire import answers_models as am
from mlcore.wire import answers_moves as ah
from mlcore.wire import requests_moves as r
from mlcore.wire.endpoint import Endpoint

_M = "registered_model"
_READ, _EDIT, _MANAGE = (Permission(x, _M, "name") for x in (Action.READ, Action.EDIT, Action.MANAGE))
_READ_ASKED, _EDIT_ASKED = (Permission(x, _M, "request_id") for x in (Action.READ, Action.EDIT))
_ADOPT = Permission(Action.MANAGE, "server")
_LIST = Permission(Action.READ, _M, "answer")


def _row(
    name: str, request: type, answer: type, call: str, permission: Permission, *, mutates: bool | None = None
) -> Endpoint:
    method, path = name.split()
    changes = permission.action is not Action.READ if mutates is None else mutates
    return Endpoint(name, method, f"/mlflow/{path}", request, answer, call, permission, mutates=changes, since="mlcore")


MOVES = (
    _row("POST model-versions/move", r.MoveStage, am.VersionAnswer, "moves.stage", _EDIT),
    _row("POST model-versions/remove", r.RemoveVersion, a.Empty, "moves.remove", _MANAGE),
    _row("POST registered-models/move-alias", r.MoveAlias, a.Empty, "moves.alias", _EDIT),
    _row("GET registered-models/history", r.History, ah.MovePage, "moves.history", _READ),
    _row("POST registered-models/adopt-history", r.AdoptHistory, ah.AdoptedHistory, "adoption.history", _ADOPT),
    _row("GET registered-models/alias-at", r.AliasAt, ah.AliasAtAnswer, "moves.alias_at", _READ),
)

# Who may only read a model may ask for a move, and take that back: it changes nothing before somebody else approves.
REQUESTS = (
    _row(
        "POST transition-requests/create",
        r.CreateRequest,
        ah.TransitionRequestAnswer,
        "transitions.create",
        _READ,
        mutates=True,
    ),
    _row("GET transition-requests/get", r.RequestId, ah.TransitionRequestAnswer, "transitions.get", _READ_ASKED),
    _row(
        "POST transition-requests/decide",
        r.DecideRequest,
        ah.TransitionRequestAnswer,
        "transitions.decide",
        _EDIT_ASKED,
    ),
    _row(
        "POST transition-requests/cancel",
        r.CancelRequest,
        ah.TransitionRequestAnswer,
        "transitions.cancel",
        _READ_ASKED,
        mutates=True,
    ),
    _row("GET transition-requests/search", r.SearchRequests, ah.TransitionRequestPage, "transitions.search", _LIST),
)
