"""The target that calls without one use."""

from __future__ import annotations

from mlcore.errors import InvalidParameterError
from mlcore.settings import Settings


class _Chosen:
    """What `set_deployments_target` was told; one for the process, as in MLflow."""

    uri: str | None = None


_chosen = _Chosen()


def set_deployments_target(target: str | None) -> None:
    """Use *target* from now on where none is named; None goes back to the setting `deployments_target`."""
    _chosen.uri = target or None


def find_deployments_target() -> str | None:
    """Return the target that was chosen by call or setting, None when nobody did."""
    return _chosen.uri or Settings.load().deployments_target


def get_deployments_target() -> str:
    """Return the target that was chosen by call or setting. Raises InvalidParameterError: nobody did."""
    found = find_deployments_target()
    if found is None:
        raise InvalidParameterError(
            "no deployments target is set: call set_deployments_target('sagemaker:/eu-west-1') with a target of yours, "
            "or set MLCORE_DEPLOYMENTS_TARGET"
        )
    return found
