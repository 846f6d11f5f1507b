"""The hooks of mlcore-flavor-xgboost."""

from __future__ import annotations

from mlcore.hookspecs import hookimpl
from mlcore.interfaces import Flavor


@hookimpl
def flavor(name: str) -> Flavor | None:
    """Return the flavor `xgboost`; XGBoost itself loads when a model is saved or loaded."""
    if name != "xgboost":
        return None
    from mlcore_flavor_xgboost.flavor import XgboostFlavor

    return XgboostFlavor()
