"""A flavor of linear models kept as JSON: a fake for tests, and the shortest complete example of the contract."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import asdict, frozen

from mlcore.errors import InvalidParameterError, ModelFormatError, NotFoundError
from mlcore.interfaces import Predictor, SavedModel

_FILE = "model.json"


@frozen
class LinearModel:
    """A straight line."""

    slope: float
    intercept: float = 0.0

    def __call__(self, x: float) -> float:
        """Return the line's value at *x*."""
        return self.slope * x + self.intercept


@frozen
class LinearPredictor:
    """A straight line behind `predict`."""

    model: LinearModel

    def predict(self, data: object, params: Mapping[str, object]) -> object:
        """Return the line's values at a list of numbers."""
        del params
        if not isinstance(data, Sequence):
            raise InvalidParameterError(f"cannot predict for a {type(data).__name__}: expected a list of numbers")
        return [self.model(float(x)) for x in data]


class MemoryFlavor:
    """Save and load linear models."""

    name = "memory"

    def can_save(self, model: object) -> bool:
        """Whether *model* is a straight line."""
        return isinstance(model, LinearModel)

    def save(self, model: object, directory: Path, options: Mapping[str, object]) -> SavedModel:
        """Write `model.json`; there are no options."""
        if options:
            raise InvalidParameterError(f"unknown option {min(options)!r} of flavor {self.name!r}: it has none")
        if not isinstance(model, LinearModel):
            raise InvalidParameterError(f"cannot save a {type(model).__name__}: expected a LinearModel")
        (directory / _FILE).write_text(json.dumps(asdict(model)), encoding="utf-8")
        return SavedModel(
            config={},
            pyfunc={"loader_module": "mlcore.testing.memory_flavor", "data": _FILE},
        )

    def code_in(self, directory: Path, config: Mapping[str, object]) -> str | None:
        """Return None: JSON holds no code."""
        del directory, config
        return None  # type checkers want it said

    def load(self, directory: Path, config: Mapping[str, object]) -> object:
        """Read the straight line."""
        del config
        return read_model(directory / _FILE)

    def predictor(self, directory: Path, config: Mapping[str, object], pyfunc: Mapping[str, object]) -> Predictor:
        """Read the straight line behind `predict`."""
        del config, pyfunc
        return LinearPredictor(read_model(directory / _FILE))


def read_model(path: Path) -> LinearModel:
    """Read a straight line. Raises NotFoundError: no such file. ModelFormatError: it is no straight line."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return LinearModel(float(found["slope"]), float(found["intercept"]))
    except FileNotFoundError as err:
        raise NotFoundError(f"no model file {str(path)!r}: save the model again") from err
    except (ValueError, TypeError, KeyError) as err:
        raise ModelFormatError(f"cannot read model file {str(path)!r}: {err}; save the model again") from err
