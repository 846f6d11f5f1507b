"""The flavor `pytorch` keeps the contract, with programs, pickled modules and, but for predicting, state dicts."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import pytest
from mlcore_flavor_pytorch.plugin import flavor as hook

from mlcore.interfaces import Flavor
from mlcore.testing import FlavorContract

HAS_TORCH = importlib.util.find_spec("torch") is not None
Require = Callable[[str, bool, str], None]


class TestPytorchFlavor(FlavorContract):
    plugin_module = "mlcore_flavor_pytorch.plugin"

    @pytest.fixture
    def flavor(self) -> Flavor | None:
        return hook("pytorch")

    @pytest.fixture
    def data(self) -> object:
        import numpy as np

        return np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]])

    @pytest.fixture
    def net(self, require: Require) -> object:
        """Return a module that multiplies."""
        require("torch", HAS_TORCH, "make torch")
        import torch

        net = torch.nn.Linear(2, 1, bias=False)
        net.weight.data = torch.tensor([[1.0, 2.0]])
        return net

    @pytest.fixture
    def model(self, net: object) -> object:
        import torch

        rows = {0: torch.export.Dim.DYNAMIC}
        return torch.export.export(net, (torch.ones(2, 2),), dynamic_shapes=(rows,))  # type: ignore[arg-type]  # a module

    @pytest.fixture
    def expected(self) -> object:
        return [[2.0], [3.0], [4.0]]

    @pytest.fixture
    def save_options(self) -> tuple[dict[str, object], ...]:
        return ({"serialization_format": "pt2"},)


class TestPytorchFlavorByTrust(TestPytorchFlavor):
    """The same with a module, which is pickled because there is no example to export it with."""

    @pytest.fixture
    def flavor(self) -> Flavor | None:
        from mlcore_flavor_pytorch.flavor import PytorchFlavor

        class Pickling(PytorchFlavor):
            def save(self, model, directory, options):  # type: ignore[no-untyped-def]  # the very same
                return super().save(model, directory, {"serialization_format": "pickle", **options})

        return Pickling()

    @pytest.fixture
    def model(self, net: object) -> object:
        return net

    @pytest.fixture
    def save_options(self) -> tuple[dict[str, object], ...]:
        return ({"serialization_format": "pickle"},)
