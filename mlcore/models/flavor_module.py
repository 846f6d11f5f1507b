"""`mlcore.sklearn` and the like: an installed flavor under the function names of MLflow's flavor modules."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike

from mlcore.errors import InvalidParameterError
from mlcore.hookspecs import HookSpecs
from mlcore.interfaces.flavor import Flavor
from mlcore.models import autolog as autologging
from mlcore.models import saving
from mlcore.models.environment import KERNEL, pinned
from mlcore.models.info import ModelInfo
from mlcore.models.loading import open_model


class FlavorModule:
    """The API of one flavor; stands where MLflow has a module."""

    def __init__(self, name: str, flavor: Flavor, requirements: tuple[str, ...] = ()) -> None:
        """Stand for *flavor*; `find_flavor_module` makes these."""
        self.__name__: str = f"mlcore.{name}"
        self.flavor_name: str = name
        self.flavor: Flavor = flavor
        self._requirements = requirements

    def save_model(self, model: object = None, path: str | PathLike[str] | None = None, **options: object) -> ModelInfo:
        """Save a model of this flavor; see `mlcore.models.saving.save_model`.

        model: also by MLflow's names, such as `sk_model`.
        """
        found = _model(model, options)
        if path is None:
            raise InvalidParameterError("path is missing: expected the directory to save the model to")
        return saving.save_model(found, path, flavor=self.flavor_name, **options)  # type: ignore[arg-type]  # named there

    def log_model(self, model: object = None, artifact_path: str | None = None, **options: object) -> ModelInfo:
        """Log a model of this flavor to a run; see `mlcore.models.saving.log_model`.

        model: also by MLflow's names, such as `sk_model`.
        """
        found = _model(model, options)
        return saving.log_model(found, artifact_path, flavor=self.flavor_name, **options)  # type: ignore[arg-type]  # named there

    def load_model(
        self, model_uri: str | PathLike[str], dst_path: str | PathLike[str] | None = None, *, trust: bool = False
    ) -> object:
        """Load the library's own object.

        Raises UntrustedModelError: loading would run code and the model is not trusted.
        """
        opened = open_model(model_uri, trust=trust, dst_path=dst_path)
        try:
            return opened.native(self.flavor_name)
        finally:
            opened.local.discard()

    def autolog(self, **options: object) -> Callable[[], None]:
        """Record trainings with this library; see `mlcore.autolog`."""
        return autologging.autolog(flavors=[self.flavor_name], **options)  # type: ignore[arg-type]  # named there

    def get_default_pip_requirements(self) -> list[str]:
        """Return what a model of this flavor needs at least."""
        return [pinned(name) for name in (KERNEL, *self._requirements)]

    def __repr__(self) -> str:
        return f"<flavor {self.flavor_name!r}, as a module>"


def find_flavor_module(name: str) -> FlavorModule | None:
    """Return the API of the installed flavor called *name*; None when no plugin offers it."""
    from mlcore.tracking.session import current_session

    plugins = current_session().plugins
    if name not in plugins.keys("flavor"):
        return None
    entry = plugins.entry("flavor", name)
    return FlavorModule(name, plugins.first(HookSpecs.flavor, name=name), (entry.dist,) if entry else ())


def _model(model: object, options: dict[str, object]) -> object:
    """The model, taken out of *options* when it is there under one of MLflow's names: `sk_model`, `xgb_model`, ..."""
    named = [key for key in options if key.endswith("_model")]
    if model is None and len(named) == 1:
        return options.pop(named[0])
    if model is None or named:
        raise InvalidParameterError(f"expected one model, got {'none' if model is None else f'also {named!r}'}")
    return model
