"""The hooks of mlcore-flavor-statsmodels."""

from __future__ import annotations

from mlcore.hookspecs import hookimpl
from mlcore.interfaces import Flavor


@hookimpl
def flavor(name: str) -> Flavor | None:
    """Return the flavor `statsmodels`; statsmodels itself loads when a model is saved or loaded."""
    if name != "statsmodels":
        return None
    from mlcore_flavor_statsmodels.flavor import StatsmodelsFlavor

    return StatsmodelsFlavor()
