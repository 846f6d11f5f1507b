"""The flavor `statsmodels` keeps the contract."""

from __future__ import annotations

import pytest
from mlcore_flavor_statsmodels.plugin import flavor as hook

from mlcore.interfaces import Flavor
from mlcore.testing import FlavorContract


class TestStatsmodelsFlavor(FlavorContract):
    plugin_module = "mlcore_flavor_statsmodels.plugin"

    @pytest.fixture
    def flavor(self) -> Flavor | None:
        return hook("statsmodels")

    @pytest.fixture
    def data(self) -> object:
        import numpy as np

        return np.arange(40.0).reshape(20, 2)

    @pytest.fixture
    def model(self, data: object) -> object:
        import statsmodels.api

        return statsmodels.api.OLS([float(n % 7) for n in range(20)], data).fit()

    @pytest.fixture
    def expected(self, model: object, data: object) -> object:
        return model.predict(data)  # type: ignore[attr-defined]  # the library ships no types

    @pytest.fixture
    def save_options(self) -> tuple[dict[str, object], ...]:
        return ({"remove_data": True}, {"remove_data": False})
