"""Autologging of flavors, and flavors as modules; with flavors made for the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

import mlcore
from mlcore.errors import InvalidParameterError, MissingDependencyError, PluginNotFoundError
from mlcore.hookspecs import hookimpl
from mlcore.interfaces import AutologOptions, Predictor, SavedModel
from mlcore.models import save_model
from mlcore.models.autolog import autolog
from mlcore.models.flavor_module import FlavorModule
from mlcore.models.pyfunc import load_model
from mlcore.plugins import Plugins


class Constant:
    """A model of the library `constant`."""

    def __init__(self, value: float) -> None:
        self.value = value

    def predict(self, data: object, params: Mapping[str, object]) -> object:
        return self.value


class ConstantFlavor:
    """Keeps a number as text; no code, so no trust is needed."""

    name = "constant"

    def __init__(self) -> None:
        self.calls: list[object] = []

    def can_save(self, model: object) -> bool:
        return isinstance(model, Constant)

    def save(self, model: object, directory: Path, options: Mapping[str, object]) -> SavedModel:
        assert isinstance(model, Constant)
        (directory / "value.txt").write_text(str(model.value))
        return SavedModel({"data": "value.txt"}, {"loader_module": "constant_lib.loader", "data": "value.txt"})

    def code_in(self, directory: Path, config: Mapping[str, object]) -> str | None:
        return None

    def load(self, directory: Path, config: Mapping[str, object]) -> object:
        return Constant(float((directory / str(config["data"])).read_text()))

    def predictor(self, directory: Path, config: Mapping[str, object], pyfunc: Mapping[str, object]) -> Predictor:
        model = self.load(directory, config)
        assert isinstance(model, Constant)
        return model

    def autolog(self, options: AutologOptions) -> Callable[[], None]:
        self.calls.append(options)
        return lambda: self.calls.append("stopped")


class SilentFlavor(ConstantFlavor):
    """Cannot autolog."""

    name = "silent"
    autolog = None  # type: ignore[assignment]  # the ability is taken away


class AbsentFlavor(ConstantFlavor):
    """Its library is not installed."""

    name = "absent"

    def autolog(self, options: AutologOptions) -> Callable[[], None]:
        raise MissingDependencyError("the library absent is not installed: pip install absent")


class Made:
    """A plugin made by hand that offers flavors."""

    def __init__(self, *flavors: ConstantFlavor) -> None:
        self._flavors = {f.name: f for f in flavors}

    @hookimpl
    def flavor(self, name: str) -> ConstantFlavor | None:
        return self._flavors.get(name)


@pytest.fixture
def flavor() -> ConstantFlavor:
    return ConstantFlavor()


@pytest.fixture
def plugins(flavor: ConstantFlavor) -> Iterator[Plugins]:
    made = Plugins()
    made.register(Made(flavor, SilentFlavor(), AbsentFlavor()))
    yield made
    autolog(disable=True, plugins=made)


def test_autolog_passes_the_options_on_and_stops(flavor: ConstantFlavor, plugins: Plugins) -> None:
    stop = autolog(log_models=False, max_tuning_runs=2, extra_tags={"a": "b"}, flavors=["constant"], plugins=plugins)
    stop()
    stop()

    assert flavor.calls == [AutologOptions(log_models=False, max_tuning_runs=2, extra_tags={"a": "b"}), "stopped"]


def test_autolog_anew_replaces_what_records(flavor: ConstantFlavor, plugins: Plugins) -> None:
    autolog(flavors=["constant"], plugins=plugins)
    autolog(silent=True, flavors=["constant"], plugins=plugins)

    assert flavor.calls == [AutologOptions(), "stopped", AutologOptions(silent=True)]


def test_disable_stops_everything_that_records(flavor: ConstantFlavor, plugins: Plugins) -> None:
    autolog(flavors=["constant"], plugins=plugins)

    autolog(disable=True)

    assert flavor.calls == [AutologOptions(), "stopped"]


def test_a_flavor_that_cannot_autolog_is_told_when_it_is_named(plugins: Plugins) -> None:
    with pytest.raises(InvalidParameterError, match="flavor 'silent' does not support autologging"):
        autolog(flavors=["silent"], plugins=plugins)


def test_a_library_that_is_not_installed_is_told_when_it_is_named(plugins: Plugins) -> None:
    with pytest.raises(MissingDependencyError, match="pip install absent"):
        autolog(flavors=["absent"], plugins=plugins)


def test_a_flavor_that_nobody_offers_is_told_when_it_is_named(plugins: Plugins) -> None:
    with pytest.raises(PluginNotFoundError, match="nothing"):
        autolog(flavors=["nothing"], plugins=plugins)


def test_without_names_all_flavors_are_asked_and_absent_ones_left_out() -> None:
    stop = mlcore.autolog(silent=True)

    stop()


def test_a_vendors_flavor_saves_loads_and_needs_no_trust_when_it_has_no_code(plugins: Plugins) -> None:
    save_model(Constant(2.5), "m", flavor="constant", plugins=plugins)

    with pytest.raises(mlcore.MlcoreError, match=r"its loader module 'constant_lib.loader' is imported and run"):
        load_model("m")  # nobody offers the flavor there
    section = Path("m/MLmodel").read_text()

    assert "constant:\n    code: null\n    data: value.txt\n" in section
    assert load_model("m", plugins=_keyed(plugins)).predict(None) == 2.5


def test_the_model_goes_by_mlflows_names_too(flavor: ConstantFlavor) -> None:
    module = FlavorModule("constant", flavor)

    with pytest.raises(InvalidParameterError, match="expected one model, got none"):
        module.save_model(path="m")
    with pytest.raises(InvalidParameterError, match="path is missing: expected the directory to save the model to"):
        module.save_model(constant_model=Constant(1))
    with pytest.raises(InvalidParameterError, match=r"expected one model, got also \['constant_model'\]"):
        module.save_model(Constant(1), "m", constant_model=Constant(1))


def test_a_name_that_is_no_flavor_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="module 'mlcore' has no attribute 'no_such_flavor'"):
        _ = mlcore.no_such_flavor


def test_a_known_flavor_that_is_not_installed_is_named_with_its_plugin() -> None:
    with pytest.raises(
        AttributeError, match="flavor 'tensorflow' is not installed: pip install mlcore-flavor-tensorflow"
    ):
        _ = mlcore.tensorflow


class _Keyed(Plugins):
    """Plugins by hand whose flavors are listed, as entry points list them."""

    def keys(self, hook: str) -> tuple[str, ...]:
        return ("constant",) if hook == "flavor" else ()


def _keyed(plugins: Plugins) -> Plugins:
    made = _Keyed()
    made.register(Made(ConstantFlavor()))
    return made
