"""The hooks of mlcore-flavor-pytorch."""

from __future__ import annotations

from mlcore.hookspecs import hookimpl
from mlcore.interfaces import Flavor


@hookimpl
def flavor(name: str) -> Flavor | None:
    """Return the flavor `pytorch`; PyTorch itself loads when a model is saved or loaded."""
    if name != "pytorch":
        return None
    from mlcore_flavor_pytorch.flavor import PytorchFlavor

    return PytorchFlavor()
