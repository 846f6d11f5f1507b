"""The hooks of mlcore-flavor-onnx."""

from __future__ import annotations

from mlcore.hookspecs import hookimpl
from mlcore.interfaces import Flavor


@hookimpl
def flavor(name: str) -> Flavor | None:
    """Return the flavor `onnx`; ONNX and its runtime load when a model is saved or loaded."""
    if name != "onnx":
        return None
    from mlcore_flavor_onnx.flavor import OnnxFlavor

    return OnnxFlavor()
