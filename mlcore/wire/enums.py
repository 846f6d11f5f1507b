"""The numbers that MLflow's protocol files give to the words of an enum; requests may use either."""

from __future__ import annotations

from enum import Enum

from mlcore.entities import LoggedModelStatus, RunStatus, ViewType

_NUMBERS: dict[type[Enum], tuple[Enum | None, ...]] = {
    RunStatus: (None, RunStatus.RUNNING, RunStatus.SCHEDULED, RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED),
    ViewType: (None, ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY, ViewType.ALL),
    LoggedModelStatus: (
        LoggedModelStatus.UNSPECIFIED,
        LoggedModelStatus.PENDING,
        LoggedModelStatus.READY,
        LoggedModelStatus.UPLOAD_FAILED,
    ),
}


def by_number(kind: type[Enum], value: object) -> Enum | None:
    """Return the member of *kind* that has the number *value*, given as a number or as a text; None if there is none."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    members = _NUMBERS.get(kind, ())
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < len(members):
        return None
    return members[value]
