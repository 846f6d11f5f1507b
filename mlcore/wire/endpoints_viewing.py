"""The endpoints of pages that look at files: listings, tickets, files behind tickets, tables, models, served models."""

from __future__ import annotations

from mlcore.entities import Action, Permission
from mlcore.wire import answers_viewing as a
from mlcore.wire import requests_viewing as r
from mlcore.wire.endpoint import Endpoint

UI = "/api/ui/1"
RAW = "/raw"

_READ = Permission(
    Action.READ, "experiment", "run_id|model_id", otherwise=Permission(Action.READ, "registered_model", "name")
)


# asking a served model makes this server ask another one: for those who may change what is served
_READ_M, _EDIT = (Permission(x, "registered_model", "name") for x in (Action.READ, Action.EDIT))


def _row(name: str, request: type, answer: type, call: str, permission: Permission = _READ) -> Endpoint:
    method, path = name.split()
    return Endpoint(name, method, f"{UI}/{path}", request, answer, call, permission, absolute=True, since="mlcore")


VIEWING = (
    _row("GET artifacts:list", r.ListFiles, a.ShownFiles, "viewing.list"),
    _row("POST artifacts:ticket", r.MakeTicket, a.TicketAnswer, "viewing.ticket"),
    _row("GET artifacts:table", r.ShowTable, a.TableShape, "viewing.table"),
    _row("GET artifacts:data", r.ShowData, a.DataShape, "viewing.data"),
    _row("GET models:served", r.FindServed, a.ServedAnswer, "trying.served", _READ_M),
    _row("POST models:ask", r.AskServed, a.ServedPrediction, "trying.ask", _EDIT),
    _row("GET models:describe", r.DescribeModel, a.ModelDescription, "viewing.describe"),
    # What a page in a sandbox loads comes without credentials: the ticket is what allows it.
    Endpoint(
        "GET raw",
        "GET",
        f"{RAW}/{{ticket}}/{{path:path}}",
        r.RawFile,
        None,
        "viewing.raw",
        Permission(None),
        absolute=True,
        streams=True,
        since="mlcore",
    ),
)
