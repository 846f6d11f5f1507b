"""What a project's run records as its params, checked before there is a run, or before an existing one is changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mlcore.errors import ProjectError
from mlcore.wire import limits

if TYPE_CHECKING:
    from mlcore.projects.request import RunRequest
    from mlcore.tracking.session import Session


def check_params(params: Mapping[str, str], request: RunRequest, session: Session) -> None:
    """Do nothing when a run can record *params*; the one that is to be recorded into may have some already.

    Raises ProjectError: that run has another value of one; the message has them all. InvalidParameterError: a name or
    value is beyond the limits of a param.
    """
    truncate = session.settings.truncate_long_values
    wanted = {
        param.key: param.value
        for param in (limits.param(name, value, truncate=truncate) for name, value in params.items())
    }
    if not request.run_id:
        return
    from mlcore.tracking.offline import resumed

    session.recorder().flush(request.run_id)
    has = resumed(session, request.run_id, request.experiment_id).data.params
    faults = [
        f"parameter {name!r} is {value!r}, and run {request.run_id!r} has recorded {has[name]!r}, which cannot be changed"
        for name, value in wanted.items()
        if has.get(name, value) != value
    ]
    if faults:
        raise ProjectError("\n".join([*faults, "give the same values, or let the project have a run of its own"]))
