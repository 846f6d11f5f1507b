"""The hooks of mlcore-flavor-sklearn."""

from __future__ import annotations

from mlcore.hookspecs import hookimpl
from mlcore.interfaces import Flavor


@hookimpl
def flavor(name: str) -> Flavor | None:
    """Return the flavor `sklearn`; scikit-learn itself loads when a model is saved or loaded."""
    if name != "sklearn":
        return None
    from mlcore_flavor_sklearn.flavor import SklearnFlavor

    return SklearnFlavor()
