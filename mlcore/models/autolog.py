"""Record trainings without a change of the user's code: for every installed flavor that can, or for some."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable, Mapping

from mlcore.errors import InvalidParameterError, MlcoreError, PluginError
from mlcore.hookspecs import HookSpecs
from mlcore.interfaces.flavor import AutologOptions, SupportsAutolog
from mlcore.plugins import Plugins


class _Running:
    """What records at present, by flavor."""

    def __init__(self) -> None:
        self._stops: dict[str, Callable[[], None]] = {}
        self._lock = threading.Lock()

    def replace(self, name: str, start: Callable[[], Callable[[], None]] | None) -> None:
        """Stop what records for *name*, and start anew unless *start* is None."""
        with self._lock:
            stop = self._stops.pop(name, None)
            if stop is not None:
                stop()
            if start is not None:
                self._stops[name] = start()

    def names(self) -> list[str]:
        with self._lock:
            return list(self._stops)


_running = _Running()


def autolog(
    log_input_examples: bool = False,
    log_model_signatures: bool = True,
    log_models: bool = True,
    log_datasets: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,  # noqa: ARG001  # part of MLflow's signature
    silent: bool = False,
    extra_tags: Mapping[str, str] | None = None,
    max_tuning_runs: int | None = 5,
    registered_model_name: str | None = None,
    *,
    flavors: Iterable[str] | None = None,
    plugins: Plugins | None = None,
    **flavor_options: object,
) -> Callable[[], None]:
    """Record every training from now on, with the arguments of MLflow's `autolog`; return what stops it.

    disable: stop recording. exclusive: leave runs alone that the user started. max_tuning_runs: candidates of a
    parameter search that get a nested run; None for all. registered_model_name: make every model that is logged a
    version of this registered model. flavors: names; all installed ones when not given. flavor_options: arguments that
    only the flavor knows, when one alone is named.
    Failures while recording are warnings and never disturb the training.
    Raises PluginNotFoundError: a flavor that was named is not installed. InvalidParameterError: it can't autolog, or
    an argument that it does not know.
    """
    asked = None if flavors is None else list(flavors)
    if flavor_options and (asked is None or len(asked) != 1):
        raise InvalidParameterError(
            f"unknown argument {min(flavor_options)!r} of autolog: arguments of one flavor are for mlcore.<flavor>.autolog"
        )
    options = AutologOptions(
        log_models=log_models,
        log_input_examples=log_input_examples,
        log_model_signatures=log_model_signatures,
        log_datasets=log_datasets,
        max_tuning_runs=max_tuning_runs,
        exclusive=exclusive,
        silent=silent,
        extra_tags=dict(extra_tags or {}),
        registered_model_name=registered_model_name,
        flavor_options=flavor_options,
    )
    if disable:
        _stop(_running.names() if asked is None else asked)
        return lambda: None
    found = _able(plugins or _plugins(), asked)
    for name, flavor in found.items():
        _start(name, flavor, options, required=asked is not None)
    return lambda: _stop(found)


def _start(name: str, flavor: SupportsAutolog, options: AutologOptions, *, required: bool) -> None:
    try:
        _running.replace(name, lambda: flavor.autolog(options))
    except (ImportError, MlcoreError) as err:
        if required:
            raise
        # the library is not installed or too old: nothing of it can train here
        if not options.silent and not isinstance(err, ImportError):
            warnings.warn(f"autologging of {name} is left out: {err}", stacklevel=3)


def _able(plugins: Plugins, asked: list[str] | None) -> dict[str, SupportsAutolog]:
    found: dict[str, SupportsAutolog] = {}
    for name in plugins.keys("flavor") if asked is None else asked:
        try:
            flavor = plugins.first(HookSpecs.flavor, name=name)
        except PluginError as err:
            if asked is not None:
                raise
            warnings.warn(f"autologging of {name} is left out: {err}", stacklevel=3)
            continue
        if isinstance(flavor, SupportsAutolog):
            found[name] = flavor
        elif asked is not None:
            raise InvalidParameterError(
                f"flavor {name!r} does not support autologging; log with log_params and log_model"
            )
    return found


def _stop(names: Iterable[str]) -> None:
    for name in names:
        _running.replace(name, None)


def _plugins() -> Plugins:
    from mlcore.tracking.session import current_session

    return current_session().plugins
