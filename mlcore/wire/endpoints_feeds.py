"""The endpoints of pages that look at many runs; MLflow has none of them."""

from __future__ import annotations

from mlcore.entities import Action, Permission
from mlcore.wire import answers as a
from mlcore.wire import answers_feeds as f
from mlcore.wire import requests_feeds as r
from mlcore.wire.endpoint import Endpoint
from mlcore.wire.endpoints_tables import UI
from mlcore.wire.requests_tracking import NoFields

_E = "experiment"
_READ_ES, _READ_RS = Permission(Action.READ, _E, "experiment_ids"), Permission(Action.READ, _E, "run_ids")
_EDIT_RS = Permission(Action.EDIT, _E, "run_ids")
_READ_E, _EDIT_E = Permission(Action.READ, _E, "experiment_id"), Permission(Action.EDIT, _E, "experiment_id")
_ANY = Permission(Action.READ, _E, "answer")


def _row(name: str, request: type, answer: type, call: str, permission: Permission) -> Endpoint:
    method, path = name.split()
    changes = permission.action is not Action.READ
    return Endpoint(
        name,
        method,
        f"{UI}/{path}",
        request,
        answer,
        call,
        permission,
        absolute=True,
        mutates=changes,
        since="mlcore",
    )


FEEDS = (
    _row("POST metrics:series", r.SeriesOnGrid, f.SeriesOnGridAnswer, "feeds.series", _READ_RS),
    _row("GET changes", r.ChangesSince, f.ChangesAnswer, "feeds.changes", _READ_ES),
    _row("GET experiments:list", r.ListWithCounts, f.ExperimentsWithCounts, "feeds.experiments", _ANY),
    _row("GET search", r.Search, f.SearchAnswer, "feeds.search", _ANY),
    _row("GET manifest", NoFields, f.ManifestAnswer, "manifest.manifest", _ANY),
    _row("POST may", r.May, f.MayAnswer, "manifest.may", _ANY),
)

EDITS = (
    _row("POST runs:batch", r.EditRuns, f.EditedRuns, "edits.runs", _EDIT_RS),
    _row("GET views", r.ListViews, f.ViewsAnswer, "edits.views", _READ_E),
    _row("POST views", r.SaveView, f.ViewSaved, "edits.save_view", _EDIT_E),
    _row("PATCH views", r.ChangeView, f.ViewSaved, "edits.change_view", _EDIT_E),
    _row("DELETE views", r.RemoveView, a.Empty, "edits.remove_view", _EDIT_E),
)
