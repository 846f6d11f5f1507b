"""The endpoints of pages that show tables of runs."""

from __future__ import annotations

from mlcore.entities import Action, Permission
from mlcore.wire import answers_tables as a
from mlcore.wire import requests_tables as t
from mlcore.wire.endpoint import Endpoint

UI = "/api/ui/1"

_READ_ES = Permission(Action.READ, "experiment", "experiment_ids")
_READ_RS = Permission(Action.READ, "experiment", "run_ids")


def _ui(name: str, method: str, request: type, answer: type | None, call: str, permission: Permission) -> Endpoint:
    return Endpoint(
        name,
        method,
        f"{UI}/{name}",
        request,
        answer,
        call,
        permission,
        absolute=True,
        streams=answer is None,
        since="mlcore",
    )


TABLES = (
    _ui("runs:table", "POST", t.RunsTable, a.RunsTableAnswer, "tables.runs_table", _READ_ES),
    _ui("runs:facets", "POST", t.RunsFacets, a.RunsFacetsAnswer, "tables.runs_facets", _READ_ES),
    _ui("runs.csv", "GET", t.RunsCsv, None, "tables.runs_csv", _READ_ES),
    _ui("metrics:summary", "POST", t.MetricsSummary, a.MetricsSummaryAnswer, "tables.metrics_summary", _READ_RS),
)
