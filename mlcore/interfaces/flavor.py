"""The contract of a flavor: how models of one library are saved and loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol, runtime_checkable

from attrs import field, frozen


@frozen
class SavedModel:
    """What a flavor wrote into the model's directory, for the kernel to put into `MLmodel`.

    config: the flavor's own section of `MLmodel`; plain YAML values.
    pyfunc: keys for the `python_function` section, among them `loader_module` and `model_path` or `data`.
    requirements: names of distributions without which the model does not load; the kernel adds versions.
    """

    config: Mapping[str, object]
    pyfunc: Mapping[str, object]
    requirements: tuple[str, ...] = ()


@runtime_checkable
class Predictor(Protocol):
    """A loaded model behind the one `predict` of `python_function`."""

    def predict(self, data: object, params: Mapping[str, object]) -> object:
        """Predict for *data*, already cast to the signature.

        params: by name, defaults filled in.
        """
        ...


@runtime_checkable
class SupportsStreaming(Protocol):
    """A predictor that can answer bit by bit."""

    def predict_stream(self, data: object, params: Mapping[str, object]) -> Iterator[object]:
        """Yield the parts of the answer to *data*, as `predict` takes it.

        Raises UnsupportedError, before the first part: this model answers at once only.
        """
        ...


@runtime_checkable
class SupportsWaiting(Protocol):
    """A predictor that can answer many at a time without a thread for each, if its model is asynchronous."""

    is_awaited: bool

    def begin(self, data: object, params: Mapping[str, object]) -> Future[object] | None:
        """Start to predict; return what will hold the answer, or None when `predict` has to be called."""
        ...


@runtime_checkable
class SupportsArrays(Protocol):
    """A predictor that needs no frame where all columns are numbers of one type; what asks it may do without pandas."""

    def takes_arrays(self, columns: Sequence[str | None]) -> bool:
        """Whether `predict` answers the same for the values of a frame with *columns*, in this order, as for the frame.

        columns: names, None for those that go by position.
        """
        ...


@runtime_checkable
class Flavor(Protocol):
    """Save and load models of one library.

    To write one, make two files: `plugin.py` with the hook `flavor`, and `flavor.py` with a class that has these
    methods. The kernel writes `MLmodel`, signature, example, environment and checksums, decides whether code
    of a model may run, and asks the flavor for the library's own files only.
    """

    name: str

    def can_save(self, model: object) -> bool:
        """Whether *model* is of this flavor; must not import the library when it is not imported yet."""
        ...

    def save(self, model: object, directory: Path, options: Mapping[str, object]) -> SavedModel:
        """Write *model* into the existing *directory*, in a format without code where there is one.

        options: keyword arguments of the caller; unknown ones raise InvalidParameterError.
        """
        ...

    def code_in(self, directory: Path, config: Mapping[str, object]) -> str | None:
        """Say what would run code on loading, such as `model.pkl is a pickle`; None when nothing would.

        Asked before `load`; must not load anything itself.
        """
        ...

    def load(self, directory: Path, config: Mapping[str, object]) -> object:
        """Load the library's own object. The kernel has settled trust before."""
        ...

    def predictor(self, directory: Path, config: Mapping[str, object], pyfunc: Mapping[str, object]) -> Predictor:
        """Load the model behind `predict`. The kernel has settled trust before.

        pyfunc: the `python_function` section of `MLmodel`.
        """
        ...


@runtime_checkable
class SupportsExample(Protocol):
    """A flavor that can write more if it has an input of the model, such as a program that is traced with it."""

    def save_by_example(
        self, model: object, directory: Path, options: Mapping[str, object], example: object
    ) -> SavedModel:
        """Do what `save` does, which is not called then.

        example: the input example that the caller gave, as `predict` takes it; None when there is none.
        """
        ...


@runtime_checkable
class NamesLibrary(Protocol):
    """A flavor whose library is imported under another name than the flavor's, such as `torch` of flavor `pytorch`.

    Among the flavors that can save a model, the one is chosen whose library its class is nearest to: an `XGBClassifier`
    is a scikit-learn estimator as well, and is saved by flavor `xgboost`.
    """

    library: str


@frozen
class AutologOptions:
    """What autologging records; names are those of MLflow's `autolog` arguments.

    flavor_options: arguments that only the one flavor knows, by name; unknown ones raise InvalidParameterError.
    """

    log_models: bool = True
    log_input_examples: bool = False
    log_model_signatures: bool = True
    log_datasets: bool = True
    max_tuning_runs: int | None = 5
    exclusive: bool = False
    silent: bool = False
    extra_tags: Mapping[str, str] = field(factory=dict)
    registered_model_name: str | None = None
    flavor_options: Mapping[str, object] = field(factory=dict)


@runtime_checkable
class SupportsAutolog(Protocol):
    """A flavor that can record training without a change of the user's code."""

    def autolog(self, options: AutologOptions) -> Callable[[], None]:
        """Start recording; return what stops it and restores the library as it was."""
        ...
