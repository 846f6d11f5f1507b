"""Which flavor saves an object, and which loads a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from attrs import frozen

from mlcore.errors import InvalidParameterError, ModelFormatError, PluginError
from mlcore.hookspecs import HookSpecs
from mlcore.interfaces.flavor import Flavor, NamesLibrary
from mlcore.models.mlmodel import FILE, PYFUNC, MLModel, text_field
from mlcore.models.python_flavor import LOADER, PythonFlavor
from mlcore.plugins import Plugins


@frozen
class Chosen:
    """A flavor with its section of `MLmodel`."""

    flavor: Flavor
    config: Mapping[str, object]


def flavor_named(name: str, plugins: Plugins) -> Flavor:
    """Return the flavor called *name*. Raises PluginNotFoundError: says what to install."""
    if name in (PYFUNC, "pyfunc", "python"):
        return PythonFlavor()
    return plugins.first(HookSpecs.flavor, name=name)


def flavor_for(model: object, plugins: Plugins) -> Flavor:
    """Return the flavor that can save *model*; of several, the one whose library the model's class is nearest to.

    Raises InvalidParameterError: none can; names those that were asked.
    """
    python = PythonFlavor()
    keys = plugins.keys("flavor")
    broken: list[str] = []
    able: dict[str, Flavor] = {}
    for key in keys:
        try:
            flavor = plugins.first(HookSpecs.flavor, name=key)
        except PluginError as err:  # somebody else's plugin must not keep this model from being saved
            broken.append(str(err))
            continue
        if flavor.can_save(model):
            able[library_of(flavor)] = flavor
    if able:
        return able[nearest_library(type(model), able) or next(iter(able))]
    if python.can_save(model):
        return python
    cls = type(model)
    raise InvalidParameterError(
        f"no installed flavor saves an object of type {cls.__module__}.{cls.__qualname__} (asked: "
        f"{', '.join([*keys, PYFUNC])}): install the plugin of its library, or wrap it in a mlcore.pyfunc.PythonModel"
        + "".join(f". Could not be asked: {text}" for text in broken)
    )


def library_of(flavor: Flavor) -> str:
    """Return the top-level module of the flavor's library."""
    return flavor.library if isinstance(flavor, NamesLibrary) else flavor.name


def nearest_library(cls: type, libraries: Iterable[str]) -> str | None:
    """Return that of *libraries* which defines *cls*, or else the nearest of its base classes; None when none does."""
    known = set(libraries)
    tops = (base.__module__.partition(".")[0] for base in cls.__mro__)
    return next((top for top in tops if top in known), None)


def predicting_flavor(model: MLModel, directory: Path, plugins: Plugins) -> Chosen:
    """Return the flavor behind `python_function`.

    Raises ModelFormatError: the model has no `python_function`. PluginNotFoundError: names the plugin to install.
    """
    pyfunc = model.pyfunc
    file = str(directory / FILE)
    if not pyfunc:
        known = ", ".join(model.flavors) or "none"
        raise ModelFormatError(
            f"field `flavors.{PYFUNC}` of {file} is missing, so the model can't predict; its flavors are: {known}"
        )
    loader = text_field(pyfunc, f"flavors.{PYFUNC}.loader_module", file)
    name = _flavor_of_loader(loader, model, plugins)
    if loader == LOADER or name is None:
        return Chosen(PythonFlavor(), pyfunc)
    return Chosen(flavor_named(name, plugins), model.flavors[name])


def native_flavor(model: MLModel, directory: Path, name: str, plugins: Plugins) -> Chosen:
    """Return the flavor *name* of a model. Raises ModelFormatError: the model does not have it."""
    section = model.flavors.get(name)
    if section is None:
        raise ModelFormatError(
            f"the model at {str(directory)!r} has no flavor {name!r}; its flavors are: {', '.join(model.flavors) or 'none'}"
        )
    return Chosen(flavor_named(name, plugins), section)


def _flavor_of_loader(loader: str, model: MLModel, plugins: Plugins) -> str | None:
    """The flavor's name for a loader module such as `mlflow.sklearn`; None when the module itself is to be run."""
    sections = [name for name in model.flavors if name != PYFUNC]
    head, _, rest = loader.partition(".")
    if head == "mlflow":
        named = rest.partition(".")[0]
        if named in sections:
            return named
    # a vendor's flavor has a loader module of its own
    return next((name for name in sections if name in plugins.keys("flavor")), None)
