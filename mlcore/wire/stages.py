"""The stages of model versions."""

from __future__ import annotations

from mlcore.errors import InvalidParameterError

NO_STAGE = "None"
ARCHIVED = "Archived"
ACTIVE_STAGES = ("Staging", "Production")
STAGES = (NO_STAGE, *ACTIVE_STAGES, ARCHIVED)

_BY_LOWER_CASE = {stage.lower(): stage for stage in STAGES}


def canonical_stage(stage: str, *, archive_existing: bool = False) -> str:
    """Return *stage* as it is spelled, whatever letter case it was given in.

    archive_existing: whether the versions that are in that stage shall be archived.
    Raises InvalidParameterError: no such stage, or not one whose versions can be archived.
    """
    found = _BY_LOWER_CASE.get(stage.lower())
    if found is None:
        raise InvalidParameterError(f"invalid model version stage: {stage!r}; value must be one of {', '.join(STAGES)}")
    if archive_existing and found not in ACTIVE_STAGES:
        raise InvalidParameterError(
            f"model version transition cannot archive existing model versions because {found!r} is not an active "
            f"stage; valid stages are {', '.join(repr(each) for each in ACTIVE_STAGES)}"
        )
    return found
