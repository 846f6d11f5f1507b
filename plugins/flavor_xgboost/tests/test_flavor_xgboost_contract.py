"""The flavor `xgboost` keeps the contract."""

from __future__ import annotations

import pytest
from mlcore_flavor_xgboost.plugin import flavor as hook

from mlcore.interfaces import Flavor
from mlcore.testing import FlavorContract


class TestBooster(FlavorContract):
    plugin_module = "mlcore_flavor_xgboost.plugin"

    @pytest.fixture
    def flavor(self) -> Flavor | None:
        return hook("xgboost")

    @pytest.fixture
    def data(self) -> object:
        import numpy as np

        return np.arange(40.0).reshape(20, 2)

    @pytest.fixture
    def model(self, data: object) -> object:
        import xgboost

        return xgboost.train({"max_depth": 2}, xgboost.DMatrix(data, [0, 1] * 10), 3)

    @pytest.fixture
    def expected(self, model: object, data: object) -> object:
        import xgboost

        return model.predict(xgboost.DMatrix(data))  # type: ignore[attr-defined]  # the library ships no types

    @pytest.fixture
    def save_options(self) -> tuple[dict[str, object], ...]:
        return ({"model_format": "ubj"}, {"model_format": "json"})


class TestEstimator(FlavorContract):
    plugin_module = "mlcore_flavor_xgboost.plugin"

    @pytest.fixture
    def flavor(self) -> Flavor | None:
        return hook("xgboost")

    @pytest.fixture
    def data(self) -> object:
        import numpy as np

        return np.arange(40.0).reshape(20, 2)

    @pytest.fixture
    def model(self, data: object) -> object:
        import xgboost

        return xgboost.XGBClassifier(n_estimators=3, max_depth=2).fit(data, [0, 1] * 10)

    @pytest.fixture
    def expected(self, model: object, data: object) -> object:
        return model.predict(data)  # type: ignore[attr-defined]  # the library ships no types

    @pytest.fixture
    def save_options(self) -> tuple[dict[str, object], ...]:
        return ({"model_format": "ubj"}, {"model_format": "json"})
