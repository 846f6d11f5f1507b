"""The flavor `lightgbm` keeps the contract."""

from __future__ import annotations

import pytest
from mlcore_flavor_lightgbm.plugin import flavor as hook

from mlcore.interfaces import Flavor
from mlcore.testing import FlavorContract


class TestBooster(FlavorContract):
    plugin_module = "mlcore_flavor_lightgbm.plugin"

    @pytest.fixture
    def flavor(self) -> Flavor | None:
        return hook("lightgbm")

    @pytest.fixture
    def data(self) -> object:
        import numpy as np

        return np.arange(40.0).reshape(20, 2)

    @pytest.fixture
    def model(self, data: object) -> object:
        import lightgbm

        params = {"min_data_in_leaf": 2, "verbose": -1}
        return lightgbm.train(params, lightgbm.Dataset(data, [0, 1] * 10), 3)

    @pytest.fixture
    def expected(self, model: object, data: object) -> object:
        return model.predict(data)  # type: ignore[attr-defined]  # the library ships no types


class TestEstimator(FlavorContract):
    plugin_module = "mlcore_flavor_lightgbm.plugin"

    @pytest.fixture
    def flavor(self) -> Flavor | None:
        return hook("lightgbm")

    @pytest.fixture
    def data(self) -> object:
        import numpy as np

        return np.arange(40.0).reshape(20, 2)

    @pytest.fixture
    def model(self, data: object) -> object:
        import lightgbm

        return lightgbm.LGBMClassifier(n_estimators=3, min_child_samples=2, verbose=-1).fit(data, [0, 1] * 10)

    @pytest.fixture
    def expected(self, model: object, data: object) -> object:
        return model.predict(data)  # type: ignore[attr-defined]  # the library ships no types

    @pytest.fixture
    def save_options(self) -> tuple[dict[str, object], ...]:
        return ({"serialization_format": "skops"}, {"serialization_format": "cloudpickle"})
