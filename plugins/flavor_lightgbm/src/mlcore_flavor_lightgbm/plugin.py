"""The hooks of mlcore-flavor-lightgbm."""

from __future__ import annotations

from mlcore.hookspecs import hookimpl
from mlcore.interfaces import Flavor


@hookimpl
def flavor(name: str) -> Flavor | None:
    """Return the flavor `lightgbm`; LightGBM itself loads when a model is saved or loaded."""
    if name != "lightgbm":
        return None
    from mlcore_flavor_lightgbm.flavor import LightgbmFlavor

    return LightgbmFlavor()
