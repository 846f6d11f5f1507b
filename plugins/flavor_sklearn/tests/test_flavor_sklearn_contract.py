"""The flavor `sklearn` keeps the contract."""

from __future__ import annotations

import pytest
from mlcore_flavor_sklearn.plugin import flavor as hook

from mlcore.interfaces import Flavor
from mlcore.testing import FlavorContract


class TestSklearnFlavor(FlavorContract):
    plugin_module = "mlcore_flavor_sklearn.plugin"

    @pytest.fixture
    def flavor(self) -> Flavor | None:
        return hook("sklearn")

    @pytest.fixture
    def data(self) -> object:
        import numpy as np

        return np.array([[0.0], [1.0], [2.0], [3.0]])

    @pytest.fixture
    def model(self, data: object) -> object:
        from sklearn.linear_model import LinearRegression

        return LinearRegression().fit(data, [1.0, 3.0, 5.0, 7.0])

    @pytest.fixture
    def expected(self, model: object, data: object) -> object:
        return model.predict(data)  # type: ignore[attr-defined]  # scikit-learn ships no types

    @pytest.fixture
    def save_options(self) -> tuple[dict[str, object], ...]:
        return ({"serialization_format": "skops"}, {"serialization_format": "cloudpickle"})
