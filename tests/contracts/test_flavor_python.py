"""The kernel's own flavor, of Python models, keeps the contract as far as it is about one kind of object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from attrs import evolve

from mlcore.interfaces import SavedModel
from mlcore.models.python_flavor import PythonFlavor
from mlcore.testing.flavor import MetadataContract, TrustContract


class WithItsSection(PythonFlavor):
    """Tells as its own section the one that it has in `MLmodel`, which is that of `python_function`."""

    def save(self, model: object, directory: Path, options: Mapping[str, object]) -> SavedModel:
        saved = super().save(model, directory, options)
        return evolve(saved, config=saved.pyfunc)


class TestPythonFlavor(MetadataContract, TrustContract):
    @pytest.fixture
    def flavor(self) -> PythonFlavor:
        return WithItsSection()

    @pytest.fixture
    def model(self) -> Callable[[list[float]], list[float]]:
        def twice(model_input: list[float]) -> list[float]:
            return [2 * value for value in model_input]

        return twice
