"""A PyTorch module behind `python_function`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
import torch

from mlcore.errors import UnsupportedError
from mlcore.models.flavor_files import as_frame, is_frame

if TYPE_CHECKING:
    from mlcore_flavor_pytorch.program import Module


class ModulePredictor:
    """Call a module without gradients; arrays in, arrays out."""

    def __init__(self, model: object, device: str | None = None) -> None:
        """Predict with a module or an exported program.

        device: such as `cuda:0`; None leaves the model where it is, which is the CPU unless it was exported elsewhere.
        """
        self.model: object = model
        called = model.module() if isinstance(model, torch.export.ExportedProgram) else model
        self._call = cast("Module", called)
        if device is not None:
            self._call.to(device)
        if not isinstance(model, torch.export.ExportedProgram):
            self._call.eval()
        first = next(iter(self._call.parameters()), None)
        self._device = torch.device(device or "cpu") if first is None else first.device
        self._floats = first.dtype if first is not None and first.is_floating_point() else None

    def predict(self, data: object, params: Mapping[str, object]) -> object:
        """Predict for a frame of numbers, an array of shape (rows, ...), or a dict of arrays by the names of arguments.

        params: passed on by name to the module.
        Returns an array for one output tensor, a frame for a frame; dicts and lists of tensors as such of arrays.
        """
        with torch.no_grad():
            if isinstance(data, Mapping):
                found = self._call(**{str(name): self._tensor(value) for name, value in data.items()}, **params)
            else:
                found = self._call(self._tensor(data), **params)
        answer = _arrays(found)
        if is_frame(data) and isinstance(answer, np.ndarray) and answer.ndim in (1, 2):
            import pandas as pd

            return pd.DataFrame(answer, index=as_frame(data).index)
        return answer

    def _tensor(self, value: object) -> torch.Tensor:
        return as_tensor(value, self._floats).to(self._device)


def as_tensor(value: object, floats: torch.dtype | None) -> torch.Tensor:
    """Return a frame, array or list as a tensor; floats as the model has them, and so all numbers of a frame."""
    if isinstance(value, torch.Tensor):
        return value
    array = as_frame(value).to_numpy(dtype=np.float32) if is_frame(value) else np.asarray(value)
    # PyTorch warns of arrays that can't be written to
    tensor = torch.from_numpy(np.require(array, requirements=["C", "W"]))
    return tensor.to(floats) if floats is not None and tensor.is_floating_point() else tensor


def _arrays(found: object) -> object:
    if isinstance(found, torch.Tensor):
        return found.detach().cpu().numpy()
    if isinstance(found, Mapping):
        return {str(name): _arrays(value) for name, value in found.items()}
    if isinstance(found, Sequence) and not isinstance(found, str):
        return [_arrays(value) for value in found]
    if found is None or isinstance(found, (bool, int, float, str)):
        return found
    raise UnsupportedError(
        f"the module returned a {type(found).__name__}: expected tensors, or dicts and lists of them"
    )
